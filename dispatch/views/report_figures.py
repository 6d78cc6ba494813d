"""The figures of the monthly report, each with n and definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_cases, visible_projects, visible_stops, visible_tickets, within
from dispatch.cases.case import Case, Way
from dispatch.cases.evaluation import Evaluation, Rectification, RectificationState, Ticket
from dispatch.cases.obligations.obligation import Obligation, ObligationKind
from dispatch.cases.obligations.reach import stood_open_after, visible_obligations
from dispatch.cases.project import FAMILY_LABEL, Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.area_evaluation import AreaEvaluation
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText
from dispatch.views.report_clocks import FamilyClocks, SharedEvaluations
from dispatch.views.report_dates import in_month, until_day
from routing.day.courier_stop import CourierStop, StopKind, StopState

SAMPLE_WD = {
    Family.BUSINESS_OPENING: (2.41, 212),
    Family.PROPERTY_REGISTRATION: (4.39, 190),
    Family.INDUSTRIAL_PERMIT: (45.16, 195),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the report with what it counts."""

    name: str
    value: str
    n: int | None
    definition: str


@dataclass(frozen=True, slots=True)
class ReportDecision:
    """A review decided in the month, as every table of the report needs it."""

    town: str
    department: str
    matter: str
    days: int
    in_time: bool


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(query) or 0


def _left_open(session: Session, viewer: Actor, kind: ObligationKind, last: date, *more: ColumnElement[bool]) -> int:
    """How much of this kind that the viewer may see still stood open when that day ended."""
    wanted = (Obligation.kind == kind, visible_obligations(viewer), stood_open_after(last), *more)
    return _count(session, select(func.count()).select_from(Obligation).where(*wanted))


def owed_figures(session: Session, viewer: Actor, first: date, last: date) -> list[Figure]:
    """Of everything that fell due in the month, how much was done by its day, and what is late now."""
    fell_due = (visible_obligations(viewer), Obligation.due_on.between(first, last))
    kept = func.count().filter(Obligation.closed_at <= Obligation.due_at)
    n, in_time = session.execute(select(func.count(), kept).where(*fell_due)).one()
    late = select(func.count()).where(*fell_due, stood_open_after(last))
    return [
        Figure("应办事项按期率", f"{in_time / n:.1%}" if n else "—", n,
               "本月到期的应办事项（派件、预审、揽收、报送、决定、送达、答复等）中，在到期前办好的比例"),
        Figure("到期未办事项", str(_count(session, late)), n, "上述事项中截止日仍未办好的"),
    ]  # fmt: skip


def project_figures(session: Session, viewer: Actor, first: date, last: date) -> list[Figure]:
    seen, cases = visible_projects(viewer), visible_cases(viewer)
    alive = select(func.count(), func.coalesce(func.sum(Project.investment_wan), 0)).where(
        seen,
        until_day(Project.created_at, last),
        or_(Project.closed_at.is_(None), ~until_day(Project.closed_at, first)),
    )
    handled, wan = session.execute(alive).one()
    new = _count(
        session, select(func.count()).select_from(Project).where(seen, in_month(Project.created_at, first, last))
    )
    ended = select(func.count()).select_from(Case).where(cases, in_month(Case.ended_at, first, last))
    running = select(func.count()).select_from(Case).where(
        cases, until_day(Case.created_at, last), or_(Case.ended_at.is_(None), ~until_day(Case.ended_at, last))
    )  # fmt: skip
    opened = select(func.count()).select_from(Case).where(cases, in_month(Case.created_at, first, last))
    return [
        Figure("代办项目", str(handled), handled, "截止日前受托、月初以后仍在办理的投资项目数"),
        Figure("总投资（亿元）", f"{(wan or 0) / 10_000:.2f}", handled, "上述项目申报的计划总投资之和"),
        Figure("本月新增项目", str(new), new, "本月内提出代办申请的项目数"),
        Figure("本月新增办件", str(_count(session, opened)), None, "本月内提交的办件数"),
        Figure("在办办件", str(_count(session, running)), None, "截止日仍未归档、撤件或不予代办的办件数"),
        Figure("本月办结归档", str(_count(session, ended)), None, "本月内归档、已评价、撤件或不予代办的办件数"),
    ]


def time_figures(decisions: Sequence[ReportDecision], families: Sequence[FamilyClocks]) -> list[Figure]:
    total, good = len(decisions), sum(d.in_time for d in decisions)
    figures = [
        Figure(
            "按承诺时限办结率", f"{good / total:.1%}" if total else "—", total,
            "本月作出决定的事项中，在部门承诺时限内作出决定的比例；特别程序期间不计",
        ),
    ]  # fmt: skip
    for clocks in families:
        sample, n = SAMPLE_WD[clocks.family]
        figures.append(
            Figure(
                LocalizedText("%(family)s平均审批用时（工作日）", family=LocalizedText(FAMILY_LABEL[clocks.family])),
                "—" if clocks.approval_wd is None else f"{clocks.approval_wd:.2f}",
                clocks.projects,
                LocalizedText(
                    "目标 %(target)s 个工作日；本月最后一个计入3550的事项作出决定的项目，从提出代办到该决定之间，"
                    "有事项在审批部门手中的工作日；特别程序、土地招拍挂和招标投标不计；"
                    "2017年10月全省抽样 %(sample)s（n=%(n)s）",
                    target=str(clocks.target_wd),
                    sample=str(sample),
                    n=n,
                ),
            )
        )
    return figures


def service_figures(
    session: Session, viewer: Actor, first: date, last: date, shared: SharedEvaluations
) -> list[Figure]:
    cases = visible_cases(viewer)
    ended = [
        cases,
        Case.stage.in_((Stage.EVALUATED, Stage.CLOSED, Stage.DELIVERED)),
        in_month(Case.decided_at, first, last),
    ]
    all_cases = _count(session, select(func.count()).select_from(Case).where(*ended))
    without = _count(
        session,
        select(func.count()).select_from(Case).where(
            *ended, Case.pickup_way != Way.COUNTER, Case.delivery_way != Way.COUNTER
        ),
    )  # fmt: skip
    return [
        Figure("不见面办结率", f"{without / all_cases:.1%}" if all_cases else "—", all_cases,
               "本月作出决定并已送达的办件中，收件和送达都不用到窗口的比例"),
        *_visits(session, viewer, first, last),
        *_lying_and_shared(session, viewer, first, last, shared),
    ]  # fmt: skip


def _visits(session: Session, viewer: Actor, first: date, last: date) -> list[Figure]:
    """Couriers' visits: what was collected, delivered, and what failed."""
    done = [CourierStop.state == StopState.DONE, CourierStop.on >= first, CourierStop.on <= last, visible_stops(viewer)]
    kinds = dict(session.execute(select(CourierStop.kind, func.count()).where(*done).group_by(CourierStop.kind)).all())
    exchanged = kinds.get(StopKind.EXCHANGE, 0)
    failed = _count(
        session,
        select(func.count())
        .select_from(CourierStop)
        .where(
            CourierStop.state == StopState.FAILED,
            CourierStop.on >= first,
            CourierStop.on <= last,
            visible_stops(viewer),
        ),
    )
    return [
        Figure("上门揽收（次）", str(kinds.get(StopKind.PICKUP, 0) + exchanged), None, "本月完成的揽收站点，含换件"),
        Figure("投递妥投（次）", str(kinds.get(StopKind.DELIVERY, 0) + exchanged), None, "本月完成的投递站点，含换件"),
        Figure("未妥投（次）", str(failed), None, "本月揽收或投递未成功、仍未补投的站点"),
    ]


def _lying_and_shared(
    session: Session, viewer: Actor, first: date, last: date, shared: SharedEvaluations
) -> list[Figure]:
    """Papers that lie where they should not, area evaluations and what sharing them brought, papers still owed."""
    out = _left_open(session, viewer, ObligationKind.PAPERS_HOME, last)
    valid = _count(
        session,
        select(func.count()).select_from(AreaEvaluation).where(
            AreaEvaluation.valid_from <= last, AreaEvaluation.valid_to >= first,
            within(viewer, AreaEvaluation.division_id),  # type: ignore[arg-type]
        ),
    )  # fmt: skip
    overdue = _left_open(session, viewer, ObligationKind.DEFERRED, last, Obligation.due_on <= last)
    return [
        Figure("办件结束后未退回的材料（件）", str(out), None, "截止日仍在中心、揽投员或部门手中的已结束办件的邮件"),
        Figure("有效区域评估成果（项）", str(valid), None, "本月内有效、辖区内可免费共享的区域评估成果"),
        Figure("共享区域评估的新增项目", str(shared.projects), shared.projects,
               "本月新增、按审批线路至少共享一项有效区域评估成果的项目数"),
        Figure("共享区域评估节省（万元）", f"{shared.cost_saved_yuan / 10_000:.1f}", shared.projects,
               "上述项目不必自行委托评估而节省的费用之和，按园区申报的单个项目节省计"),
        Figure("共享区域评估缩短线路（工作日）", str(shared.days_saved_wd), shared.projects,
               "上述项目按承诺时限的全程历时缩短之和；不在关键线路上的节省不算天数"),
        Figure("共享区域评估腾出机动时间（工作日）", str(shared.slack_gained_wd), shared.projects,
               "上述项目少做的工作日中没有缩短线路的部分"),
        Figure("容缺材料逾期（项）", str(overdue), None, "承诺补交日已过、截止日仍未补交的材料"),
    ]  # fmt: skip


def grade_figures(session: Session, viewer: Actor, first: date, last: date) -> list[Figure]:
    cases = select(Case.id).where(visible_cases(viewer))
    graded = [Evaluation.case_id.in_(cases), Evaluation.withdrawn_at.is_(None), in_month(Evaluation.at, first, last)]
    n, bad, mean = session.execute(
        select(func.count(), func.count().filter(Evaluation.grade <= 2), func.avg(Evaluation.grade)).where(*graded)
    ).one()
    answered = _count(
        session,
        select(func.count()).select_from(Rectification).join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .where(*graded, Rectification.state == RectificationState.ANSWERED),
    )  # fmt: skip
    asked = [visible_tickets(viewer), in_month(Ticket.opened_at, first, last)]
    tickets = _count(session, select(func.count()).select_from(Ticket).where(*asked))
    from_12345 = _count(session, select(func.count()).select_from(Ticket).where(*asked, Ticket.from_12345))
    of_month = in_month(Obligation.opened_at, first, last)
    unanswered = _left_open(session, viewer, ObligationKind.TICKET, last, of_month)
    return [
        Figure("评价平均分", f"{mean:.2f}" if mean is not None else "—", n, "本月企业逐项评价的平均分，5分为非常满意"),
        Figure("差评（项）", str(bad), n, "不满意和非常不满意"),
        Figure("差评整改回访率", f"{answered / bad:.1%}" if bad else "—", bad, "本月差评中已完成整改并回访的比例"),
        Figure("咨询投诉工单", str(tickets), tickets, "本月登记的咨询、投诉、求助、建议"),
        Figure("其中12345转办", str(from_12345), tickets, "由12345热线转来的工单"),
        Figure("尚未答复", str(unanswered), tickets, "本月工单中截止日仍未答复的"),
    ]  # fmt: skip
