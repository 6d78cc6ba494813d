"""Waybills (邮件号): made and checked by UPU standard S10."""

from dispatch.core.errors import Refused

_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def s10_check_digit(serial: str) -> int:
    """The check digit of UPU standard S10 over eight digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, serial, strict=True))
    digit = 11 - total % 11
    return {10: 0, 11: 5}.get(digit, digit)


def waybill_from(serial: int) -> str:
    """A domestic EMS number in S10 form, ``EA########nCN``."""
    digits = f"{serial % 100_000_000:08d}"
    return f"EA{digits}{s10_check_digit(digits)}CN"


def check_waybill(written: str) -> str:
    """The waybill as it is stored. Raises Refused for a mistyped one (S10 has a check digit, 13 digits have none)."""
    waybill = written.strip().upper().replace(" ", "")
    if len(waybill) == 13 and waybill.isascii() and waybill.isdigit():
        return waybill
    fits = len(waybill) == 13 and waybill.isascii()
    fits = fits and waybill[:2].isalpha() and waybill[2:11].isdigit() and waybill[11:].isalpha()
    if not fits:
        raise Refused(f"{waybill!r} is not a waybill", user_message="邮件号格式不对：应为13位，如 EA123456785CN")
    if int(waybill[10]) != s10_check_digit(waybill[2:10]):
        raise Refused(f"{waybill}: the check digit is wrong", user_message="邮件号校验位不对，请核对后再输")
    return waybill
