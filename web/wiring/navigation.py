"""Navigation: which pages each role finds in the bar at the top, in the order of its day."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import gettext
from flask_login import current_user

from dispatch.core.actor import Role

Line = tuple[str, str]
"""An endpoint and its words; a line whose page is not there is not shown."""

TODAY: tuple[Line, ...] = (("team.home", "今日"), ("team.owed", "待办"), ("team.inbox", "办件"))
ROAD: tuple[Line, ...] = (
    ("team.runs", "揽投线路"),
    ("team.roster", "揽投排班"),
    ("team.courier_reports", "揽投来报"),
    ("team.calls", "电话告知"),
    ("handovers.today", "交接清单"),
)
NAV: dict[Role, tuple[tuple[str, tuple[Line, ...]], ...]] = {
    Role.ENTERPRISE: (
        (
            "",
            (
                ("enterprise.home", "我的项目"),
                ("enterprise.intake", "申请代办"),
                ("enterprise.evidence", "已有材料"),
                ("enterprise.tickets", "咨询投诉"),
                ("account.people", "本单位人员"),
            ),
        ),
    ),
    Role.AGENT: (
        (
            "",
            (
                *TODAY,
                ("team.projects", "项目"),
                ("handovers.today", "交接清单"),
                ("team.tickets", "一号答"),
                ("team.outbox", "短信"),
            ),
        ),
    ),
    Role.LEAD: (
        ("", (*TODAY, ("team.projects", "项目"), ("team.agents", "人员"), ("team.map", "地图"))),
        ("揽投", ROAD),
        ("", (("team.tickets", "一号答"), ("team.outbox", "短信"))),
        (
            "管理",
            (
                ("team.claims", "企业核验"),
                ("team.report", "月报"),
                ("team.calibration", "预计准确度"),
                ("calendar.year", "工作日历"),
            ),
        ),
    ),
    Role.COURIER: (("", (("courier.home", "今日线路"),)),),
    Role.SUPERVISOR: (
        (
            "",
            (
                *TODAY,
                ("team.evaluations", "好差评"),
                ("team.tickets", "一号答"),
                ("team.report", "月报"),
                ("team.calibration", "预计准确度"),
            ),
        ),
    ),
    Role.OPERATOR: (
        ("", (*TODAY, ("team.projects", "项目"), ("team.agents", "人员"), ("team.map", "地图"))),
        ("揽投", ROAD),
        ("", (("team.outbox", "短信"),)),
        (
            "配置",
            (
                ("team.catalog", "事项目录"),
                ("calendar.year", "工作日历"),
                ("team.claims", "企业核验"),
                ("operator.accounts", "账号"),
                ("operator.set_up", "开通向导"),
                ("operator.security_log", "安全日志"),
            ),
        ),
    ),
}
"""Per role, parts of the bar: lines that stand in it, or a menu of lines under its words."""


@dataclass(frozen=True, slots=True)
class NavLink:
    """One entry of the bar."""

    url: str
    words: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class NavPart:
    """Entries that stand in the bar, or under ``words`` in a menu."""

    words: str
    links: Sequence[NavLink]

    @property
    def is_here(self) -> bool:
        return any(link.is_here for link in self.links)


def parts() -> list[NavPart]:
    """The bar of the person who asks, without pages that do not exist."""
    if not current_user.is_authenticated:
        return []
    return [
        NavPart(
            gettext(words) if words else "", [_link(*line) for line in lines if line[0] in current_app.view_functions]
        )
        for words, lines in NAV[current_user.viewer.role]
    ]


def _link(endpoint: str, words: str) -> NavLink:
    return NavLink(url_for(endpoint), gettext(words), request.endpoint == endpoint)
