"""A paper that an enterprise holds runs out: its contact hears once, a month ahead, in its language."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.acts.act import perform
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.entering_evidence import EnterEvidence, WithdrawEvidence
from dispatch.acts.expiring_evidence import RemindExpiringEvidence
from dispatch.cases.case import Case
from dispatch.cases.evidence import Evidence
from dispatch.cases.project import Contact, Project
from dispatch.catalogue.matter import Family
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.shanghai_time import utc
from notifications import outbox, tasks
from notifications.message import Message, State
from notifications.settings import NoticeSettings
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_request, acting, the_county
from web.wiring.jobs import run_day

DAY = timedelta(days=1)
LAST = MONDAY + 30 * DAY


@pytest.fixture
def lead(county: County) -> Actor:
    return acting(county, county.lead)


def project_of(county: County, case: Case) -> Project:
    return county.session.get_one(Project, case.project_id)


def enter(county: County, case: Case, lead: Actor, until: date | None = LAST, **more: object) -> Evidence:
    given: dict[str, object] = {"name": "安全生产许可证", "paper_no": "苏安1号"}
    step = EnterEvidence(project=project_of(county, case).project_no, valid_until=until, **given | more)  # type: ignore[arg-type]
    return county.session.get_one(Evidence, perform(county.session, step, lead, at=TEN).number)


def remind(county: County, days: int = 0, at: datetime = TEN) -> int:
    return perform(county.session, RemindExpiringEvidence(), SYSTEM, at=at + days * DAY)


def told(session: Session) -> list[Message]:
    rows = select(Message).where(Message.text_name == "evidence_expiring").order_by(Message.id)
    return list(session.scalars(rows))


def test_the_contact_hears_thirty_days_ahead_and_once(county: County, lead: Actor) -> None:
    case, _ = a_request(county)
    enter(county, case, lead, LAST + DAY)
    assert [remind(county, days) for days in (0, 1, 1, 2, 31)] == [0, 1, 0, 0, 0]
    (message,) = told(county.session)
    assert (message.to_phone, message.division_id) == ("+8613812345678", county.division.id)
    assert outbox.body_of(county.session, message) == (
        "【武进代办】贵企业登记的“安全生产许可证”将于12月24日到期，请及时办理延续或换发。如已办理，请告知您的代办员。"
    )
    assert message.expires_at == utc(LAST + 2 * DAY, time(0))


def test_another_last_day_is_told_once_more(county: County, lead: Actor) -> None:
    case, _ = a_request(county)
    row = enter(county, case, lead)
    assert remind(county) == 1
    row.valid_until = LAST + DAY
    county.session.flush()
    assert [remind(county, days) for days in (1, 2)] == [1, 0]
    assert [message.values["day"] for message in told(county.session)] == ["12月23日", "12月24日"]


def test_who_reads_english_is_told_in_english(county: County, lead: Actor) -> None:
    case, _ = a_request(county)
    project_of(county, case).contact.locale = "en"
    enter(county, case, lead)
    remind(county)
    (message,) = told(county.session)
    assert outbox.body_of(county.session, message).startswith("【Daiban】Your paper 安全生产许可证 expires on 23 Dec.")


def test_what_was_withdrawn_has_no_end_or_has_ended_is_not_told(county: County, lead: Actor) -> None:
    case, _ = a_request(county)
    row = enter(county, case, lead)
    enter(county, case, lead, None)
    enter(county, case, lead, MONDAY)
    drop = WithdrawEvidence(project=project_of(county, case).project_no, number=row.id, reason="已注销")  # type: ignore[arg-type]
    perform(county.session, drop, lead, at=TEN)
    assert remind(county, 1) == 0


def test_a_word_that_waits_for_the_morning_is_taken_back_with_the_paper(county: County, lead: Actor) -> None:
    case, _ = a_request(county)
    row = enter(county, case, lead)
    remind(county, at=utc(MONDAY, time(22)))
    (message,) = told(county.session)
    assert message.not_before == utc(MONDAY + DAY, time(8))
    drop = WithdrawEvidence(project=project_of(county, case).project_no, number=row.id, reason="已注销")  # type: ignore[arg-type]
    perform(county.session, drop, lead, at=TEN)
    county.session.refresh(message)
    assert (message.state, message.reason) == (State.SUPPRESSED, outbox.TAKEN_BACK)


def another_project(county: County, viewer: Actor, phone: str) -> Project:
    site = SiteGiven(county.town.code, county.town.lon, county.town.lat, address="湖塘镇人民东路1号")
    asked = RequestProject(name="扩产项目二", family=Family.INDUSTRIAL_PERMIT, site=site, matters=("IND-104",))
    project = project_of(county, steps.request(county.session, asked, by=viewer, at=TEN))
    project.contact = Contact(
        enterprise_id=project.enterprise_id, name="周经理", phone=phone, phone_hash=db.keyed_hash(phone), created_at=TEN
    )
    county.session.flush()
    return project


def test_the_contact_of_its_project_hears_else_of_the_newest_whose_contact_is_there(
    county: County, lead: Actor
) -> None:
    case, viewer = a_request(county)
    newest = another_project(county, viewer, "+8613812345670")
    enter(county, case, lead)
    enter(county, case, lead, for_all=True)
    assert remind(county) == 2
    assert [message.to_phone for message in told(county.session)] == ["+8613812345678", "+8613812345670"]
    newest.contact.left_at = TEN
    enter(county, case, lead, for_all=True)
    assert remind(county) == 1
    assert told(county.session)[-1].to_phone == "+8613812345678"
    project_of(county, case).contact.left_at = TEN
    enter(county, case, lead)
    assert remind(county) == 0


def test_the_days_schedule_tells_and_the_numbers_budget_holds(county_sessions: sessionmaker[Session]) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        lead = acting(county, county.lead)
        case, _ = a_request(county)
        for n in range(4):
            enter(county, case, lead, name=f"安全生产许可证{n + 1}")
    assert [run_day(county_sessions)["RemindExpiringEvidence"] for _ in range(2)] == [4, 0]
    tasks.configure(NoticeSettings(), county_sessions)
    tasks.deliver_due(at_once=True)
    with county_sessions() as session:
        states = [message.state for message in told(session)]
        said = session.scalars(select(Message.text_name).where(Message.state == State.DELIVERED)).all()
    assert (sorted(said), states.count(State.QUEUED)) == (["evidence_expiring"] * 2 + ["requested"], 2)
