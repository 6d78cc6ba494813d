"""How good a plan could be at all, in words for a lead: what is proved of it, or why nothing is."""

from collections.abc import Mapping
from typing import Any

from dispatch.core.localized_text import LocalizedText

WHY_UNPROVED = {
    "counted": "这次按迭代次数计算，没有同时求证",
    "short": "计算时间不足五秒，来不及求证",
    "nothing to plan": "没有需要安排的站点或揽投员",
    "large": "站点太多，整片区域无法求证",
    "vehicles first": "以少派车为先，不求证",
    "unserved must": "有必须上门的站点排不进",
    "no clock": "有站点不占时间，无法求证",
    "no way home": "有揽投员所在的位置没有返回的路",
    "not compiled": "服务器上没有可用的求证程序",
    "unheard": "求证程序（OR-Tools）没有及时应答",
    "not asked": "这次只计算，没有求证",
}


def proof_words(result: Mapping[str, Any] | None) -> LocalizedText | None:
    """One sentence of a plan or of a day with one courier more; None for one that was made before there were proofs."""
    if result is None or "no_bound" not in result:
        return None
    if result["gap"] is None:
        return LocalizedText("还能省多少没有证明：%(why)s", why=LocalizedText(WHY_UNPROVED[result["no_bound"]]))
    share = 100 * result["gap"]
    if share < 0.05:
        return LocalizedText("已证明（OR-Tools）：没有更省的排法")
    return LocalizedText("已证明（OR-Tools）：任何排法最多再省 %(n)s%%", n=f"{share:.1f}")
