"""The demo county: 武进区 at ten on a Tuesday, with projects at every stage, made through the path's own steps."""

from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import children, division_with
from agents.roster import Agent
from dispatch.acts.act import perform
from dispatch.acts.answering import OpenTicket
from dispatch.cases.case import Case
from dispatch.cases.evaluation import TicketKind
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.area_evaluation import AreaEvaluation
from dispatch.catalogue.matter import AreaKind
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.ids import CaseNo
from notifications.message import Message
from notifications.message import State as MessageState
from web.demo.case_plans import CASE_PLANS
from web.demo.case_steps import carry_out
from web.demo.context import COUNTY, NOW, DemoContext
from web.demo.courier_day import add_other_stops, plan_morning
from web.demo.fake_data import FakeData
from web.demo.staff import add_accounts, add_staff


def is_empty(session: Session) -> bool:
    """Whether nobody has used this database yet."""
    return session.scalar(select(Project.id).limit(1)) is None and session.scalar(select(Agent.id).limit(1)) is None


def load(
    sessions: sessionmaker[Session], *, seed: int = 7, show_progress: Callable[[str], None] = lambda _: None
) -> None:
    """Fill an empty database whose network and catalogue are imported. The same seed makes the same day."""
    with sessions.begin() as session:
        db.allow_clock_changes(session)
        db.set_clock(session, NOW)
        county = division_with(session, COUNTY)
        context = DemoContext(session, FakeData(seed), county, children(session, county))
        show_progress("代办员、揽投员与账号")
        add_staff(context)
        _add_evaluated_areas(context)
        show_progress("项目与办件")
        for plan in CASE_PLANS:
            carry_out(context, plan)
        add_accounts(context)
        _open_tickets(context)
        show_progress("今日站点")
        add_other_stops(context)
    show_progress("上午路线")
    plan_morning(sessions, seed=seed)
    with sessions.begin() as session:
        _mark_old_messages_delivered(session)
        db.set_clock(session, NOW)


def _add_evaluated_areas(context: DemoContext) -> None:
    zone = next(d for d in context.towns if d.name == "高新区")
    for kind, name, saved_wan in (
        (AreaKind.ENVIRONMENT, "环境", 8),
        (AreaKind.WATER_AND_SOIL, "水土保持", 5),
        (AreaKind.GEOLOGICAL_HAZARD, "地质灾害", 3),
        (AreaKind.EARTHQUAKE, "地震安全性", 4),
    ):
        context.session.add(
            AreaEvaluation(
                division_id=zone.id,
                kind=kind,
                title=f"武进国家高新区{name}区域评估报告",
                valid_from=date(2023, 6, 1),
                valid_to=date(2028, 5, 31),
                negative_list=["电镀", "印染"],
                saved_cents=saved_wan * 1_000_000,
            )
        )
    context.session.flush()


def _open_tickets(context: DemoContext) -> None:
    cases = context.session.scalars(
        select(Case).where(Case.stage == Stage.UNDER_REVIEW).order_by(Case.id).limit(2)
    ).all()
    tickets = (
        (TicketKind.QUESTION, "环评报告表需要几份？电子版可以吗？"),
        (TicketKind.COMPLAINT, "电话一直没人接，希望改进。"),
    )
    for case, (kind, words) in zip(cases, tickets, strict=False):
        asker = Actor(Role.ENTERPRISE, enterprise_id=case.project.enterprise_id, name=case.contact.name)
        calls = kind is TicketKind.COMPLAINT  # 12345, and the hotline passes it on
        ticket = OpenTicket(kind=kind, words=words, case_no=CaseNo(case.case_no), from_12345=calls)
        perform(context.session, ticket, SYSTEM if calls else asker, at=NOW - timedelta(hours=20))


def _mark_old_messages_delivered(session: Session) -> None:
    """What was due before ten went out at its time: a demo does not send it all at ten."""
    session.execute(
        update(Message)
        .where(Message.state == MessageState.QUEUED, Message.created_at < NOW - timedelta(minutes=20))
        .values(
            state=MessageState.DELIVERED, sent_at=Message.created_at, settled_at=Message.created_at, attempts=1,
            gateway="console", segments=1,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
