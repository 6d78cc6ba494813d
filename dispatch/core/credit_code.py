"""Credit code (统一社会信用代码): 18 characters by GB 32100-2015 and its first amendment. Pure."""

import re
from datetime import date

from dispatch.core.canonical import canonical_code
from dispatch.core.errors import Refused

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100, table 4: no I, O, S, V, Z
REGISTERED_BY = "123456789ANY"
"""Place 1: the registering department. Y (others) is of the standard; A and N (rural collectives) of its amendment."""

_SHAPE = re.compile(rf"[{REGISTERED_BY}][1-9][0-9]{{6}}[{ALPHABET}]{{10}}")
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714
_PERSON = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])[0-9]{4}[0-9]{11}[0-9X]")


class WrongCreditCode(Refused):
    """Not a credit code: its length, a letter, or a check character."""

    user_message = "统一社会信用代码有误，请核对18位代码"


class WrongCheckCharacter(WrongCreditCode):
    """Right in its form, but a check character does not fit: mistyped, or one of the codes of before 2016."""

    user_message = "统一社会信用代码的校验位不符，请与营业执照逐位核对；如一致，请联系政务服务中心确认"


class PersonalIdNumber(WrongCreditCode):
    """A person's identity number (GB 11643), which the program neither needs nor keeps."""

    user_message = "这是个人身份证号码，请填写企业的统一社会信用代码；身份证号码不会保存"


def credit_code(text: str) -> str:
    """The code in its one form. Raises WrongCreditCode; the error's text never repeats what was typed."""
    code = credit_code_form(text)
    if code[16] != organisation_check(code[8:16]) or code[17] != check_character(code[:17]):
        raise WrongCheckCharacter("a check character does not fit")
    return code


def credit_code_form(text: str) -> str:
    """The code by its form alone, for what a business licence shows. Raises WrongCreditCode."""
    code = canonical_code(text).replace("-", "")
    if _is_personal(code):
        raise PersonalIdNumber("a personal identity number is no credit code")
    if not _SHAPE.fullmatch(code):
        raise WrongCreditCode("not the form of a credit code")
    return code


def organisation_check(body: str) -> str:
    """Place 17: the check character of the organisation's eight characters (GB 11714, modulo 11)."""
    total = sum(weight * int(character, 36) for weight, character in zip(_BODY_WEIGHTS, body, strict=True))
    return "0123456789X0"[11 - total % 11]


def check_character(code: str) -> str:
    """Place 18 (GB 32100, modulo 31)."""
    total = sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(code))
    return ALPHABET[-total % 31]


def _is_personal(code: str) -> bool:
    """Whether it reads as an identity number: a province and a day of birth, whatever its last character."""
    person = _PERSON.fullmatch(code)
    if person is None or code[6:8] not in {"19", "20"}:
        return False
    try:
        date.fromisoformat(f"{code[6:10]}-{code[10:12]}-{code[12:14]}")
    except ValueError:
        return False
    return True
