"""Phone numbers: one spelling inside, a mask outside."""

import re
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

MAGIC = {"+8610000000001": "delivered", "+8610000000002": "permanent", "+8610000000003": "temporary"}
"""Numbers that nobody has. Whatever is sent to them meets the named end through the ordinary receipt path."""

_MOBILE_IN_TEXT = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")


class BadNumber(ValueError):
    """This cannot be a phone number."""


class NumberType(StrEnum):
    MAINLAND_MOBILE = "mainland_mobile"
    MAINLAND_LANDLINE = "mainland_landline"
    FOREIGN = "foreign"
    MAGIC = "magic"


def normalise(number: str) -> str:
    """The number as E.164; without a country code it is read as a mainland one. Raises BadNumber."""
    digits = re.sub(r"[\s\-().]", "", number)
    if (magic := "+86" + digits.removeprefix("+86")) in MAGIC:
        return magic
    try:
        parsed = phonenumbers.parse(number, "CN")
    except NumberParseException as error:
        raise BadNumber(f"{mask(number)} is not a phone number") from error
    if not phonenumbers.is_valid_number(parsed):
        raise BadNumber(f"{mask(number)} is not a phone number")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def line_of(e164: str) -> NumberType:
    """What kind of line a normalised number is."""
    if e164 in MAGIC:
        return NumberType.MAGIC
    if not e164.startswith("+86"):
        return NumberType.FOREIGN
    kind = phonenumbers.number_type(phonenumbers.parse(e164))
    if kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
        return NumberType.MAINLAND_MOBILE
    return NumberType.MAINLAND_LANDLINE


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


def mobiles_in(text: str) -> list[str]:
    """Every mainland mobile number that stands in ``text``."""
    return _MOBILE_IN_TEXT.findall(text)
