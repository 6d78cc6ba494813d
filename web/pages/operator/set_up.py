"""The set-up guide: what a new installation has, what is still missing, and where it is done."""

from dataclasses import dataclass

from flask import current_app, render_template, url_for
from flask_babel import gettext

import db
from dispatch.views.set_up_page import SetUpFacts, set_up_facts
from web.pages.operator.accounts import bp
from web.wiring.auth import operator_only
from web.wiring.settings import Settings
from web.wiring.staff_accounts import leads_by_division, operators_who_can_sign_in
from web.wiring.transactions import transaction


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """One thing that a centre needs: ``is_needed`` before the first enterprise comes, else advice."""

    name: str
    state: str
    is_done: bool
    is_needed: bool
    todo: str = ""
    url: str = ""
    command: str = ""


@bp.get("/setup")
@operator_only
def set_up() -> str:
    """Every step with what there is of it; the first that is missing is the one to do next."""
    settings: Settings = current_app.extensions["daiban.settings"]
    with transaction() as session:
        today = db.now(session).astimezone(db.SHANGHAI).date()
        facts = set_up_facts(session, leads_by_division(session), today=today)
        steps = [*_content(facts), *_people(facts, operators_who_can_sign_in(session)), *_outside(settings)]
    missing = [step for step in steps if step.is_needed and not step.is_done]
    return render_template("operator/set_up.html", facts=facts, steps=steps, missing=missing)


def _content(facts: SetUpFacts) -> list[SetUpStep]:
    published = {True: gettext("已公布"), False: gettext("未导入，按惯例估算")}
    return [
        SetUpStep(
            gettext("区划和站点"), gettext("%(n)s 个", n=facts.places), facts.places > 0, True,
            gettext("导入五级网络"), command="flask --app wsgi network import agents/data/network.csv",
        ),
        SetUpStep(
            gettext("政务服务中心"), gettext("%(n)s 个", n=facts.centres), facts.centres > 0, True,
            gettext("随五级网络一起导入"), command="flask --app wsgi network import agents/data/network.csv",
        ),
        SetUpStep(
            gettext("%(year)s年工作日历", year=facts.year), published[facts.calendar_is_published],
            facts.calendar_is_published, True, gettext("导入国务院办公厅公布的放假安排"),
            url_for("calendar.year"), "flask --app wsgi calendar import FILE",
        ),
        SetUpStep(
            gettext("%(year)s年工作日历", year=facts.year + 1), published[facts.next_calendar_is_published],
            facts.next_calendar_is_published, False, gettext("每年11月公布后导入"),
            url_for("calendar.year"), "flask --app wsgi calendar import FILE",
        ),
        SetUpStep(
            gettext("事项目录"),
            gettext("%(n)s 项，其中承诺时限待核实 %(m)s 项", n=facts.matters, m=facts.matters_unsure),
            facts.matters > 0, True, gettext("导入目录；待核实的时限由本地管理员确认"), url_for("team.catalog"),
            "flask --app wsgi catalog import FILE",
        ),
    ]  # fmt: skip


def _people(facts: SetUpFacts, operators: int) -> list[SetUpStep]:
    ready, leads = sum(area.is_ready for area in facts.areas), sum(area.leads for area in facts.areas)
    return [
        SetUpStep(
            gettext("系统管理员"), gettext("%(n)s 人可登录", n=operators), operators > 1, False,
            gettext("再开通一位，以免无人可以登录"), url_for("operator.new_account"),
        ),
        SetUpStep(
            gettext("代办组长"), gettext("%(n)s 人，分管 %(m)s 个辖区", n=leads, m=len(facts.areas)),
            bool(facts.areas), True, gettext("为每个服务中心开通一位组长"), url_for("operator.new_account"),
        ),
        SetUpStep(
            gettext("代办员、揽投员和排班"), gettext("%(n)s 个辖区齐备，共 %(m)s 个", n=ready, m=len(facts.areas)),
            bool(facts.areas) and ready == len(facts.areas), True,
            gettext("每个辖区至少一位代办员、一位有排班的揽投员"), url_for("team.new_person"),
        ),
    ]  # fmt: skip


def _outside(settings: Settings) -> list[SetUpStep]:
    gateways = "、".join(name for name, _ in settings.gateways)
    return [
        SetUpStep(
            gettext("短信通道"), gateways if settings.sends else gettext("未接通，短信只显示在短信页"), settings.sends,
            False, gettext("接通前，登录验证码也在短信页查看"), url_for("team.outbox"), "GATEWAY=domestic",
        ),
        SetUpStep(
            gettext("访问地址"), settings.public_url, settings.over_tls, False,
            gettext("正式使用须为 https 地址，揽投员手机才能扫码"), command="PUBLIC_URL=https://…",
        ),
    ]  # fmt: skip
