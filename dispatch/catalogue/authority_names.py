"""Authority names: a department's words in the catalogue as the authority's name at a place."""

from __future__ import annotations


def authority_name(department: str, place: str) -> str:
    """A department's words in the catalogue, as the name of the authority at a place: 武进区行政审批局."""
    options = department.split("/")
    if ONE_SEAL in options:
        return f"{place}{ONE_SEAL}"
    bureau = options[0]
    for end in "((,，、牵":
        bureau = bureau.split(end)[0]
    bureau = bureau.removeprefix("设区市").removeprefix("省")
    return f"{place}{bureau}" if bureau.endswith(OFFICES) else bureau


ONE_SEAL = "行政审批局"  # 一枚印章管审批: where it may handle a matter, it does by default
OFFICES = ("局", "委", "厅", "办", "登记中心", "管理中心")
