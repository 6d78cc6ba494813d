"""Phone numbers: one spelling inside, a mask outside."""

import re
import unicodedata
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException

MAGIC = {"+8610000000001": "delivered", "+8610000000002": "permanent", "+8610000000003": "temporary"}
"""Numbers that nobody has. Whatever is sent to them meets the named end through the ordinary receipt path."""

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_SEPARATORS = {"Cf", "Cc", "Pd", "Zs"}  # marks that nobody sees, dashes, spaces


class BadNumber(ValueError):
    """This cannot be a phone number."""


class NoSmsNumber(BadNumber):
    """A line that no SMS reaches: a landline, a service number."""


class NumberType(StrEnum):
    MAINLAND_MOBILE = "mainland_mobile"
    MAINLAND_LANDLINE = "mainland_landline"
    FOREIGN = "foreign"
    MAGIC = "magic"


def normalise(number: str) -> str:
    """The number as E.164; without a country code it is read as a mainland one. Raises BadNumber.

    A mainland mobile is 1, 3-9 and nine digits, whichever prefixes are in use; other lines are those that the library
    knows. What is neither a digit nor a separator makes it no number."""
    dialled = _dialled(number)
    if dialled is None:
        raise BadNumber(f"{mask(number)} is not a phone number")
    national = dialled.removeprefix("+86")
    if (magic := "+86" + national) in MAGIC:
        return magic
    if _MOBILE.fullmatch(national):
        return "+86" + national
    try:
        parsed = phonenumbers.parse(dialled, "CN")
    except NumberParseException as error:
        raise BadNumber(f"{mask(number)} is not a phone number") from error
    if not phonenumbers.is_valid_number(parsed):
        raise BadNumber(f"{mask(number)} is not a phone number")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def normalise_mobile(number: str) -> str:
    """The same where an SMS must arrive. Raises NoSmsNumber for a landline or a service number."""
    e164 = normalise(number)
    if line_of(e164) is NumberType.MAINLAND_LANDLINE:
        raise NoSmsNumber(f"{mask(number)} receives no SMS")
    return e164


def _dialled(number: str) -> str | None:
    """The digits, with a plus before those that begin with a country code; None where there is anything else."""
    plain = unicodedata.normalize("NFKC", number)
    digits = "".join(c for c in plain if not (unicodedata.category(c) in _SEPARATORS or c in "().·"))
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return None
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "+" + digits if re.fullmatch(r"861[3-9][0-9]{9}", digits) else digits


def line_of(e164: str) -> NumberType:
    """What kind of line a normalised number is."""
    if e164 in MAGIC:
        return NumberType.MAGIC
    if not e164.startswith("+86"):
        return NumberType.FOREIGN
    is_mobile = _MOBILE.fullmatch(e164.removeprefix("+86"))
    return NumberType.MAINLAND_MOBILE if is_mobile else NumberType.MAINLAND_LANDLINE


def mask(number: str) -> str:
    """138****1234: enough to recognise one's own number, too little to call somebody else's."""
    digits = re.sub(r"\D", "", number)
    if number.strip().startswith("+86"):
        digits = digits[2:]
    if len(digits) < 8:
        return "****"
    if number.strip().startswith("+") and not number.strip().startswith("+86"):
        return f"+{digits[:2]}****{digits[-4:]}"
    return f"{digits[:3]}****{digits[-4:]}"
