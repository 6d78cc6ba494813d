"""Act fields: what words, numbers and days a command takes, with the limits that hold at every door."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import StringConstraints

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
Phone = Annotated[str, MaxLen(20)]
MOST_PHOTOS = 3
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A kept file, by the SHA-256 of its content."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Marks a field with the words for who filled it in wrongly."""

    user_message: str
