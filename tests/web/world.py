"""The world in which every route is probed: our county with a case and its people, and another city with theirs."""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, Precision, ServiceCentre
from agents.roster import Duty, DutyKind
from dispatch.acts import handover_lists
from dispatch.acts.door_facts import as_said
from dispatch.acts.door_report import DoorReport
from dispatch.acts.recording import Happening
from dispatch.assignment import staffing
from dispatch.cases import lookups
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote, ContactWay
from dispatch.cases.courier_report import CourierReport, ReportKind, WhyHeld
from dispatch.cases.courier_word import CourierWord
from dispatch.cases.due_moments import rectify_grade_due, verify_grade_due
from dispatch.cases.evaluation import Evaluation, Grade, Rectification, TicketKind
from dispatch.cases.project import Project
from dispatch.cases.project_batch import ProjectBatch
from dispatch.cases.visit_word import VisitChange, VisitWord
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Role
from dispatch.custody.handover_list import Direction
from dispatch.custody.parcel import Parcel
from dispatch.custody.roadside_pass import RoadsidePass
from notifications import task_publisher
from notifications.message import Message
from notifications.webhooks.delivery import WebhookDelivery
from notifications.webhooks.subscription import WebhookSubscription, new_key
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopEvent, StopState
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import PlanState
from routing.day.hours import Cutoff
from routing.day.plan_jobs import queue_plan
from routing.day.roster import ShiftRule
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    County,
    a_prescreened_case,
    an_agent,
    an_appointment,
    the_county,
)
from tests.fixtures.papers import a_pdf
from web.app import create_app
from web.wiring import files
from web.wiring.accounts import Account, AccountState
from web.wiring.kept_uploads import KeptUpload
from web.wiring.settings import Settings
from web.wiring.tokens import Token

A_PDF = a_pdf()
ArgsOf = dict[str, str | int]


@dataclass
class World:
    """Accounts by role, and what a URL's parts may be: ``ours`` everybody here may see, ``theirs`` nobody may."""

    accounts: dict[Role, Account] = field(default_factory=dict)
    ours: ArgsOf = field(default_factory=dict)
    theirs: ArgsOf = field(default_factory=dict)


def app_over(postgres: str, county_database: str, name: str, folder: Path) -> Flask:
    """The application over a world in a new database of this name; forms need no token, nobody rings a broker."""
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {county_database} STRATEGY FILE_COPY")  # type: ignore[arg-type]
    made = create_app(
        Settings(
            database_url=postgres.rsplit("/", 1)[0] + "/" + name,
            broker_url="redis://127.0.0.1:1/0",
            home=folder,
            secret_key="k" * 64,
            limit_requests=False,
        )
    )
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    task_publisher.use(None)
    made.extensions["world"] = make_world(made.extensions["daiban.sessions"])
    return made


def make_world(sessions: sessionmaker[Session]) -> World:
    """Fill a database that holds 武进区; it is ten on a Monday there."""
    world = World()
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        county = the_county(session)
        world.ours = a_case_of(session, county, phone="+8613812345678")
        world.theirs = a_case_of(session, another_county(session, county), phone="+8613812345679")
        people(session, county, world)
    return world


def another_county(session: Session, county: County) -> County:
    """虎丘区 of another city, with one agent."""
    made: list[Division] = []
    for code, name, level, parent in (
        ("320500000000", "苏州市", Level.CITY, county.division.path.split(".")[0]),
        ("320505000000", "虎丘区", Level.COUNTY, "320500000000"),
        ("320505100000", "浒墅关镇", Level.TOWN, "320505000000"),
    ):
        above = made[-1].path if made else parent
        division = Division(
            code=code, name=name, pinyin=name, level=level, kind="county", parent_code=parent,
            path=f"{above}.{code}", lon=120.57, lat=31.3, precision=Precision.CENTROID,
        )  # fmt: skip
        made.append(division)
        session.add(division)
        session.flush()
    agent = an_agent(session, "别处代办员", division=made[1])
    courier = Courier(
        courier_no="EMS900", name="别处揽投员", phone="+8613900000199", phone_hash=db.keyed_hash("+8613900000199"),
        division_id=made[1].id, centre_id=county.couriers[0].centre_id,
    )  # fmt: skip
    session.add(courier)
    session.flush()
    return County(session, made[1], made[2], [agent], [courier])


def a_case_of(session: Session, county: County, *, phone: str) -> ArgsOf:
    """A case with a booked pickup, and everything of it that stands in URLs."""
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    given = case.materials[0]
    given.sha256, given.media_type, given.filename = files.keep_bytes(A_PDF), "application/pdf", "a.pdf"
    project = session.get_one(Project, case.project_id)
    run = a_run_to(session, county, session.get_one(CourierStop, parcel.stop_id))
    ticket = steps.open_ticket(
        session,
        kind=TicketKind.QUESTION,
        words="何时办结？",
        by=viewer,
        at=TEN,
        case=case,
    )
    agent_id = county.agents[0].id
    referral = staffing.refer(
        session, project, from_agent_id=agent_id, to_agent_id=agent_id, reason="同站", by=county.lead, at=TEN
    )
    colleague = Account(
        role=Role.ENTERPRISE, state=AccountState.WAITING, name="新同事", enterprise_id=project.enterprise_id
    )
    claim = Account(
        role=Role.ENTERPRISE, state=AccountState.WAITING, name="申请人", enterprise_id=project.enterprise_id
    )
    session.add_all([colleague, claim])
    session.flush()
    session.add(
        StopEvent(
            event_id=uuid.uuid4(), stop_id=parcel.stop_id, act=StopAct.FAILED, at=TEN, waybills=[parcel.waybill],
            proofs=[given.sha256],
        )
    )  # fmt: skip
    courier, said = a_courier(session, county), a_courier_report(session, county, parcel)
    plan = queue_plan(
        session, division_id=county.division.id, on=MONDAY, cutoff=Cutoff.PM, limit_s=5, by="组长", at=TEN
    )
    review = lookups.reviews_of(session, case)[0]
    scanned = Happening(document=given.sha256)
    steps.simulate_review(session, review, by=county.agent_viewer(), at=TEN, when=scanned)
    return {
        "case_no": case.case_no,
        "project_no": project.project_no,
        "waybill": parcel.waybill,
        "stop_id": parcel.stop_id or 0,
        "agent_id": county.agents[0].id,
        "assignment_id": project.members[0].id,
        "absence_id": a_leave(session, county.agents[0].id).id,
        "stand_in_id": county.agents[-1].id,
        "account_id": colleague.id,
        "claim_id": claim.id,
        "enterprise_id": project.enterprise_id,
        "contact_id": case.contact_id,
        "recipient_id": project.delegations[0].recipients[0].id,
        "run_id": run.id,
        "division_code": county.division.code,
        "material_id": given.id,
        "contact_note": a_contact_note(session, case).id,
        "batch_id": a_batch(session, project).id,
        "case_message": a_case_message(session, case).id,
        "fact_id": next(m for m in case.materials if m is not given and m.facts).facts[-1].id,
        "digest": given.sha256,
        "review_id": review.id,
        "review_event_id": review.events[0].id,
        "plan_id": plan.id,
        "courier_id": courier.id,
        "rule_id": a_shift_rule(session, courier).id,
        "list_no": a_list(session, county, parcel),
        "centre_id": session.scalars(  # made with the list where the county had none
            select(ServiceCentre.id).where(ServiceCentre.division_id == county.division.id)
        ).one(),
        "message_id": session.scalars(select(Message.id).where(Message.case_id == case.id).limit(1)).one(),
        "rectification_id": a_bad_grade(session, county, case).id,
        "text_name": "assigned",
        "matter_code": "IND-104",
        "told_id": a_word(session, county).id,
        "pass_id": a_pass(session, county, parcel).id,
        "word_id": a_visit_word(session, county, parcel).id,
        "report_id": said.id,
        "event_id": str(said.event_id),
        "upload_id": str(uuid.UUID(int=8)),
        "locale": "zh",
        "ticket_no": ticket.ticket_no,
        "referral_id": referral.id,
        "code": "en",
        "number": 1,
    }


def a_webhook(session: Session, account: Account, case_no: str) -> tuple[int, int]:
    """An address of a person's program, and the case's first line on its way to it."""
    case = session.scalars(select(Case).where(Case.case_no == case_no)).one()
    row = WebhookSubscription(
        account_id=account.id, url="https://park.example/hook", purpose="园区平台", key=new_key(), created_at=TEN
    )
    session.add(row)
    session.flush()
    told = WebhookDelivery(
        subscription_id=row.id, event_id=case.events[0].id, case_id=case.id, due_at=TEN, created_at=TEN
    )
    session.add(told)
    session.flush()
    return row.id, told.id


def a_run_to(session: Session, county: County, stop: CourierStop) -> CourierRun:
    """A committed plan that sends the county's first courier to this stop."""
    plan = queue_plan(session, division_id=county.division.id, on=stop.on, cutoff=stop.cutoff, limit_s=1, by="", at=TEN)
    plan.state = PlanState.COMMITTED
    run = CourierRun(plan_id=plan.id, courier_id=county.couriers[0].id, on=stop.on, starts_s=8 * 3600, ends_s=12 * 3600)
    session.add(run)
    session.flush()
    stop.move_to(StopState.PLANNED)
    stop.run_id, stop.position, stop.eta_s = run.id, 1, 9 * 3600 + 600
    session.flush()
    return run


def a_list(session: Session, county: County, parcel: Parcel) -> str:
    """The number of a handover list between the county's centre and its first courier."""
    centre = session.scalar(select(ServiceCentre).where(ServiceCentre.division_id == county.division.id))
    if centre is None:
        centre = ServiceCentre(
            centre_no="SC900", division_id=county.division.id, name="别处政务服务中心", pinyin="", level="county",
            lon=120.57, lat=31.3, precision="admin_seat",
        )  # fmt: skip
        session.add(centre)
        session.flush()
    sheet = handover_lists.draw_up(
        session, centre=centre, courier_id=county.couriers[0].id, parcels=[parcel], direction=Direction.IN, on=MONDAY,
        batch="11:30", at=TEN,
    )  # fmt: skip
    return sheet.list_no


def a_courier_report(session: Session, county: County, parcel: Parcel) -> CourierReport:
    """What the county's first courier said of the stop, open, and photographed."""
    report = CourierReport(
        event_id=uuid.uuid4(), kind=ReportKind.FACT, hold_reason=WhyHeld.RULE, act=StopAct.FAILED,
        courier_id=county.couriers[0].id, division_id=county.division.id, stop_id=parcel.stop_id,
        said=as_said(DoorReport(event_id=uuid.uuid4(), act=StopAct.FAILED, reason=FailReason.NOBODY_IN)),
        happened_at=TEN, recorded_at=TEN, proofs=[files.keep_bytes(A_PDF)],
    )  # fmt: skip
    session.add(report)
    session.flush()
    return report


def a_batch(session: Session, project: Project) -> ProjectBatch:
    """A batch with this project alone."""
    batch = ProjectBatch(name="东区", enterprise_id=project.enterprise_id, gathered_at=TEN, gathered_by="企业 王经理")
    session.add(batch)
    session.flush()
    project.batch_id = batch.id
    return batch


def a_contact_note(session: Session, case: Case) -> ContactNote:
    """A call after which somebody has to come back to the enterprise."""
    note = ContactNote(
        case_id=case.id, way=ContactWay.PHONE, is_theirs=False, was_missed=True, person="王经理", words="无人接听",
        happened_at=TEN, recorded_at=TEN, recorded_by="代办员", follow_up_on=MONDAY + timedelta(days=1),
    )  # fmt: skip
    session.add(note)
    session.flush()
    return note


def a_case_message(session: Session, case: Case) -> CaseMessage:
    """The enterprise wrote in its case, and nobody has read it."""
    message = CaseMessage(case_id=case.id, is_theirs=True, words="何时踏勘？", written_at=TEN, written_by="企业 王经理")
    session.add(message)
    session.flush()
    return message


def a_visit_word(session: Session, county: County, parcel: Parcel) -> VisitWord:
    """A visit that nobody was told of yet, because there is no number for an SMS."""
    word = VisitWord(
        stop_id=parcel.stop_id, division_id=county.division.id, change=VisitChange.MOVED, on=MONDAY, opens_s=32_400,
        closes_s=39_600, said_at=TEN,
    )  # fmt: skip
    session.add(word)
    session.flush()
    return word


def a_word(session: Session, county: County) -> CourierWord:
    """A word to the county's first courier that was not read."""
    word = CourierWord(
        courier_id=county.couriers[0].id,
        division_id=county.division.id,
        words="先去开发区",
        said_at=TEN,
        said_by="组长",
    )
    session.add(word)
    session.flush()
    return word


def a_pass(session: Session, county: County, parcel: Parcel) -> RoadsidePass:
    """Ordinary mail of the stop that the county's first courier is to bring back."""
    row = RoadsidePass(
        division_id=county.division.id, on=MONDAY, giver_id=county.couriers[0].id, stop_id=parcel.stop_id, made_at=TEN
    )
    session.add(row)
    session.flush()
    return row


def a_courier(session: Session, county: County) -> Courier:
    """A courier of the county, on shift on Monday."""
    code = county.division.code[:6]
    courier = Courier(
        courier_no=f"C{code}", name="邮递员", phone="+8613900000099", phone_hash=code.encode(),
        division_id=county.division.id, centre_id=county.couriers[0].centre_id,
    )  # fmt: skip
    session.add(courier)
    session.flush()
    courier.courier_no = f"C{courier.id}"  # as a sheet names the courier
    session.add(Shift(courier_id=courier.id, on=MONDAY, starts_s=8 * 3600, ends_s=18 * 3600))
    return courier


def a_shift_rule(session: Session, courier: Courier) -> ShiftRule:
    """The courier works on weekdays from Monday on."""
    rule = ShiftRule(courier_id=courier.id, weekdays=[1, 2, 3, 4, 5], first_on=MONDAY, starts_s=28_800, ends_s=64_800)
    session.add(rule)
    session.flush()
    return rule


def a_leave(session: Session, agent_id: int) -> Duty:
    """Two days of an agent's spring, a week after the leave before it."""
    last = session.scalar(select(func.max(Duty.ends_on)).where(Duty.agent_id == agent_id)) or date(2027, 3, 1)
    starts_on = max(last, date(2027, 3, 1)) + timedelta(days=7)
    leave = Duty(agent_id=agent_id, kind=DutyKind.LEAVE, starts_on=starts_on, ends_on=starts_on + timedelta(days=1))
    session.add(leave)
    session.flush()
    return leave


def a_bad_grade(session: Session, county: County, case: Case) -> Rectification:
    """A bad grade of the county's first agent, to be verified."""
    evaluation = Evaluation(
        case_id=case.id, review_id=lookups.reviews_of(session, case)[0].id, agent_id=county.agents[0].id,
        grade=Grade.DISSATISFIED, at=TEN,
    )  # fmt: skip
    session.add(evaluation)
    session.flush()
    calendar = calendar_of(session)
    opened = Rectification(
        evaluation_id=evaluation.id, opened_at=TEN, verify_by=verify_grade_due(calendar, TEN),
        rectify_by=rectify_grade_due(calendar, TEN),
    )  # fmt: skip
    session.add(opened)
    session.flush()
    return opened


def people(session: Session, county: County, world: World) -> None:
    """One active account for each role, all of our county."""
    for role in Role:
        if role is Role.SYSTEM:
            continue
        world.accounts[role] = account = Account(
            role=role,
            name="张三",
            login=role.value,
            enterprise_id=int(world.ours["enterprise_id"]) if role is Role.ENTERPRISE else None,
            agent_id=county.agents[0].id if role is Role.AGENT else None,
            courier_id=county.couriers[0].id if role is Role.COURIER else None,
            division_id=county.division.id if role in {Role.LEAD, Role.SUPERVISOR} else None,
            confirmed_at=TEN if role is Role.ENTERPRISE else None,
            is_owner=role is Role.ENTERPRISE,
        )
        session.add(account)
    session.flush()
    digest = str(world.ours["digest"])
    session.add_all(KeptUpload(sha256=digest, account_id=account.id) for account in world.accounts.values())
    stranger = Account(role=Role.ENTERPRISE, name="别家", login="stranger", enterprise_id=world.theirs["enterprise_id"])
    session.add(stranger)
    session.flush()
    for account, known in ((world.accounts[Role.ENTERPRISE], world.ours), (stranger, world.theirs)):
        known["subscription_id"], known["delivery_id"] = a_webhook(session, account, str(known["case_no"]))
    other = Account(role=Role.LEAD, name="别处", login="other")
    session.add(other)
    session.flush()
    for account, known in ((world.accounts[Role.LEAD], world.ours), (other, world.theirs)):
        token = Token(account_id=account.id, name="t", digest=str(account.id).encode(), expires_at=db.real_now(session))
        session.add(token)
        session.flush()
        known["token_id"] = token.id
