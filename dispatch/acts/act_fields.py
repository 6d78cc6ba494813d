"""Act fields: what words, numbers and days a command takes, with the limits that hold at every door."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from dispatch.core.amount import MOST_WAN, WrongAmount, amount_wan


def read_amount(given: object) -> object:
    """A number of JSON, or the text of a form."""
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        return given
    try:
        return amount_wan(str(given))
    except WrongAmount as error:
        raise PydanticCustomError("amount", "not an amount in 万元") from error


Number = Annotated[str, MaxLen(80)]
"""The number of a paper, as it is printed there."""
Words = Annotated[str, MaxLen(1000)]
"""What a person writes: reasons, corrections, an answer."""
Reason = Annotated[str, MaxLen(400)]
Why = Annotated[str, MinLen(1), MaxLen(400)]
"""A reason that must be given."""
Name = Annotated[str, MaxLen(40)]
Rule = Annotated[str, MaxLen(200)]
"""The article or the rule that something rests on."""
CalendarDate = Annotated[date, Ge(date(2000, 1, 1)), Le(date(2100, 12, 31))]
"""A day that the calendar can reckon with."""
SecondOfDay = Annotated[int, Ge(0), Le(86_400)]
"""Seconds from 00:00 in Shanghai."""
Longitude = Annotated[float, Ge(73), Le(136)]
Latitude = Annotated[float, Ge(3), Le(54)]
"""WGS-84, within China."""
Phone = Annotated[str, MaxLen(40)]
"""A number as it is typed; what it is stored as is notifications.phone's."""
Amount = Annotated[Decimal, BeforeValidator(read_amount), Ge(0), Le(MOST_WAN)]
"""A sum in 万元, also as people write it: ``3,000.50``, ``３０００万元``."""
MOST_PHOTOS = 3
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A kept file, by the SHA-256 of its content."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Marks a field with the words for who filled it in wrongly."""

    user_message: str
