"""Project code (项目代码): the number that the national investment platform gives a project. Pure.

Twenty digits in groups 4-6-2-2-6: when, the division that gave it, industry, kind, serial. The first group is the year
and month (YYMM); until 2020 the platform wrote the year there."""

import re

from dispatch.core.canonical import canonical_code
from dispatch.core.errors import Refused

_GROUPS = re.compile(r"([0-9]{4})([0-9]{6})([0-9]{2})([0-9]{2})([0-9]{6})")
_WHEN = re.compile(r"201[5-9]|2020|(?:1[6-9]|[2-9][0-9])(?:0[1-9]|1[0-2])")
_PROVINCE = re.compile(r"00|1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-6]")  # 00: national; 66: the corps of Xinjiang
_IN_JIANGSU = re.compile(r"32(?:0[0-9]|1[0-3])[0-9]{2}")


class WrongProjectCode(Refused):
    """Not a number that the platform gives."""

    user_message = "项目代码有误，应如 2611-320412-04-01-123456"


def project_code(text: str) -> str:
    """The code in its one form, with its hyphens. Raises WrongProjectCode."""
    groups = _GROUPS.fullmatch(canonical_code(text).replace("-", ""))
    if groups is None:
        raise WrongProjectCode("a project code has twenty digits")
    when, division = groups[1], groups[2]
    if not _WHEN.fullmatch(when):
        raise WrongProjectCode(f"{when} is no year and month", user_message="项目代码的前4位应为年月，请核对")
    if not _PROVINCE.match(division) or (division.startswith("32") and not _IN_JIANGSU.match(division)):
        raise WrongProjectCode(f"{division} is no division", user_message="项目代码的第5至10位应为区划代码，请核对")
    return "-".join(groups.groups())
