"""Amount: a sum of money in 万元 as people write it. Pure."""

import re
from decimal import Decimal

from dispatch.core.canonical import plain_text
from dispatch.core.errors import Refused

MOST_WAN = 100_000_000  # a thousand milliards of yuan: no project of a county is larger
_WAN = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<part>[0-9]{1,4}))?(?:万元?)?")


class WrongAmount(Refused):
    """Not an amount, or one out of bounds."""

    user_message = "请填写以万元为单位的数，如 3000 或 3000.5"


def amount_wan(text: str) -> Decimal:
    """An amount in 万元, to the yuan: ``3000``, ``3,000.50``, ``３０００万元``. Raises WrongAmount."""
    found = _WAN.fullmatch(plain_text(text).replace(" ", ""))
    if found is None:
        raise WrongAmount("not an amount in 万元")
    amount = Decimal(f"{found['whole'].replace(',', '')}.{found['part'] or 0}")
    if amount > MOST_WAN:
        raise WrongAmount(f"{amount} is out of bounds", user_message="金额太大，请核对单位是否为万元")
    return trimmed(amount)


def trimmed(amount: Decimal) -> Decimal:
    """Without zeros at its end: 3000.50 is 3000.5, and 3000.0 is 3000."""
    return amount.to_integral_value() if amount == amount.to_integral_value() else amount.normalize()
