"""Migrations: from nothing up, no drift from the rooms' tables, and down to nothing again."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch.acts.act import perform
from dispatch.acts.answering import CallBackTicket
from dispatch.acts.daily_rules import AcceptBySilence, ReturnOverdue
from dispatch.acts.pausing import PauseNotice
from dispatch.cases.case import Case, Material, MaterialState, Way
from dispatch.cases.derived import differences
from dispatch.cases.evaluation import Ticket, TicketKind
from dispatch.cases.fact_event import FactEvent, FactKind
from dispatch.cases.lookups import reviews_of
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventKind, ReviewEvent
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import TicketNo
from dispatch.core.special_procedure import PauseKind
from dispatch.custody.verification import verify
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, an_assigned_case
from tests.notifications.chaos import make_tables
from web.wiring import database_schema

MINUTE = timedelta(minutes=1)
OF_ENDS = {FactKind.RESULT_DELIVERED, FactKind.DELEGATION_SIGNED, FactKind.DELEGATION_REVOKED}


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """The URL of a database without a table."""
    name, plain = f"empty_{os.getpid()}", postgres.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_the_tables_go_up_without_drift_and_down_to_nothing(empty_url: str) -> None:
    assert database_schema.upgrade(empty_url) == database_schema.head()
    assert database_schema.drift(empty_url) == []
    assert tables(empty_url) >= {"account", "dispatch_case", "message", "stop", "division"}
    assert database_schema.upgrade(empty_url) == database_schema.head()
    database_schema.downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}
    assert database_schema.upgrade(empty_url) == database_schema.head()


DRAWN = """
SELECT pg_get_triggerdef(t.oid), regexp_replace(p.prosrc, '\\s+', ' ', 'g')
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'draw_calendar_version' ORDER BY 1
"""


def test_tables_made_without_migrations_draw_the_calendars_version_as_they_do(
    empty_url: str, database_url: str
) -> None:
    def drawn(url: str) -> list[tuple[str, str]]:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            return connection.execute(DRAWN).fetchall()

    make_tables(empty_url)
    assert drawn(empty_url) == drawn(database_url)
    assert len(drawn(empty_url)) == 3


def test_what_the_columns_of_the_last_release_tell_becomes_events(county: County, county_url: str) -> None:
    """Every kind of event was lived; the tables go back to those of the release before, and up again."""
    lived = live_every_kind_of_event(county)
    county.session.commit()
    before = {review.id: (review.state, review.legal_due_at) for review in county.session.scalars(select(Review))}
    told = Counter(
        (event.review_id, event.kind, event.happened_on) for event in county.session.scalars(select(ReviewEvent))
    )
    assert {kind for _, kind, _ in told} >= lived
    county.session.close()
    database_schema.downgrade(county_url, "0015")
    assert "review_event" not in tables(county_url)
    database_schema.upgrade(county_url)
    session = county.session
    assert [str(found) for found in differences(session, at=TEN + timedelta(days=200))] == []
    assert {r.id: (r.state, r.legal_due_at) for r in session.scalars(select(Review))} == before
    assert events_in(session) == told
    assert list(verify(session, ())) == []


def test_what_the_columns_tell_of_materials_and_tickets_becomes_events(county: County, county_url: str) -> None:
    """Materials in every state, also after a second look, and tickets in every state: the columns stay as they are."""
    live_with_papers_and_tickets(county)
    session = county.session
    session.commit()
    before = papers_in(session)
    unknown = {MaterialState.NOT_NEEDED, MaterialState.WAIVED}  # the release knew no such states
    assert {state for state, *_ in before.values()} == {*MaterialState} - unknown
    tickets = {t.id: (t.state, t.reply, t.answered_at) for t in session.scalars(select(Ticket))}
    session.close()
    database_schema.downgrade(county_url, "0022")
    assert "fact_event" not in tables(county_url)
    database_schema.upgrade(county_url)
    assert [str(found) for found in differences(session, at=TEN + timedelta(days=200))] == []
    assert papers_in(session) == before
    assert {t.id: (t.state, t.reply, t.answered_at) for t in session.scalars(select(Ticket))} == tickets
    kinds = {event.kind for event in session.scalars(select(FactEvent))}
    later = {FactKind.MATERIAL_NOT_NEEDED, FactKind.MATERIAL_WAIVED}
    assert kinds | OF_ENDS == {*FactKind} - {FactKind.VOIDED, FactKind.MATERIAL_HELD} - later
    late = session.scalars(select(FactEvent).where(FactEvent.happened_at != FactEvent.recorded_at)).all()
    assert late == []
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(update(FactEvent).values(words="别的"))
    session.rollback()


def test_what_the_columns_tell_of_deliveries_and_letters_becomes_events(county: County, county_url: str) -> None:
    session = county.session
    delivered, _ = an_assigned_case(county)
    delivered.stage, delivered.delivery_way = Stage.DECIDED, Way.ELECTRONIC
    steps.deliver(session, delivered, by=county.lead, at=TEN, who="")
    revoked, viewer = an_assigned_case(county, phone="+8613812345679", name="第二有限公司")
    steps.revoke(session, revoked.project, reason="换人", by=viewer, at=TEN)
    session.commit()
    told = ends_in(session)
    assert {kind for kind, *_ in told} == OF_ENDS
    session.close()
    database_schema.downgrade(county_url, "0037")
    database_schema.upgrade(county_url)
    assert ends_in(session) == told
    assert [str(found) for found in differences(session, at=TEN + timedelta(days=200))] == []


def ends_in(session: Session) -> Counter[tuple[FactKind, date, datetime | None, datetime, str]]:
    events = session.scalars(select(FactEvent).where(FactEvent.kind.in_(OF_ENDS)))
    return Counter((e.kind, e.happened_on, e.happened_at, e.recorded_at, e.words) for e in events)


def papers_in(session: Session) -> dict[int, tuple[object, ...]]:
    return {
        m.id: (m.state, m.defect, m.sha256, m.filename, m.given_at, m.owed_by, m.supplied_at)
        for m in session.scalars(select(Material))
    }


def live_with_papers_and_tickets(county: County) -> None:
    """Five cases: passed at once; deferred and supplied; mended on paper; deferred and overdue; waiting."""
    session, agent = county.session, county.agent_viewer()
    owed = MONDAY + timedelta(days=3)
    for n in range(5):
        case, viewer = an_assigned_case(
            county, matters=("IND-104", "IND-105", "IND-108"), phone=f"+861381234561{n}", name=f"第{n}材料公司"
        )  # fmt: skip
        uploads = [m for m in case.materials if m.state is MaterialState.GIVEN]
        on_paper = [m for m in case.materials if m.on_paper]
        if n == 0:
            steps.prescreen(session, case, by=agent, at=TEN + MINUTE)
            continue
        uploads[0].deferrable = True
        first = {uploads[1].id: "公章不清"} | ({on_paper[0].id: "缺一页"} if n == 2 else {})
        steps.prescreen(
            session, case, by=agent, at=TEN + MINUTE, defects=first, deferred={uploads[0].id: owed} if n != 2 else {}
        )  # fmt: skip
        if n == 3:
            perform(session, ReturnOverdue(), SYSTEM, at=TEN + timedelta(days=4))
        if n > 2:
            continue
        for material in uploads[:2] if n == 1 else uploads[1:2]:
            steps.give_material(
                session, case, material, sha256="9" * 64, media_type="image/png", filename="新.png", by=viewer,
                at=TEN + 2 * MINUTE,
            )  # fmt: skip
        steps.correct(session, case, by=viewer, at=TEN + 3 * MINUTE)
        if n == 1:
            steps.prescreen(session, case, by=agent, at=TEN + 4 * MINUTE)
    lead = county.lead
    for n in range(3):
        ticket = steps.open_ticket(session, kind=TicketKind.HELP, words="怎么开户", by=lead, at=TEN, case=case)
        if n > 0:
            steps.answer(session, ticket, reply="三日内", by=lead, at=TEN + MINUTE)
        if n > 1:
            back = CallBackTicket(ticket=TicketNo(ticket.ticket_no), words="满意")
            steps.take(session, back, lead, TEN + 2 * MINUTE)


def events_in(session: Session) -> Counter[tuple[int, EventKind, date]]:
    return Counter((event.review_id, event.kind, event.happened_on) for event in session.scalars(select(ReviewEvent)))


def live_every_kind_of_event(county: County) -> set[EventKind]:
    """Six cases of two matters each; the kinds of events that they lived."""
    session, agent = county.session, county.agent_viewer()
    first: list[Review] = []
    for n in range(6):
        case, _ = a_prescreened_case(
            county, matters=("IND-307", "IND-306"), phone=f"+861381234560{n}", name=f"第{n}有限公司"
        )  # fmt: skip
        case.stage = Stage.COLLECTED
        first.append(reviews_of(session, case)[0])
        if n == 0:
            steps.simulate_review(session, first[0], by=agent, at=TEN)
        steps.submit(session, case, receipts={}, by=agent, at=TEN + MINUTE)
    for review in first[:3]:
        steps.accept(session, review, notice_no=f"受{review.id}", by=agent, at=TEN + 2 * MINUTE)
    steps.pause(
        session, first[0], PauseNotice(PauseKind.HEARING, "听1", MONDAY + timedelta(days=3)), by=agent,
        at=TEN + 3 * MINUTE,
    )  # fmt: skip
    steps.resume(session, first[0], by=agent, at=TEN + 4 * MINUTE)
    steps.extend(session, first[0], working_days=10, words="技术复杂", by=agent, at=TEN + 5 * MINUTE)
    for review, outcome in zip(first[:3], (ReviewState.GRANTED, ReviewState.DENIED, ReviewState.RETURNED), strict=True):
        steps.decide(
            session, review, outcome=outcome, decision_no="决1", reason="理由", by=agent, at=TEN + 6 * MINUTE
        )  # fmt: skip
    steps.ask_supplement(session, first[3], words="缺图", by=agent, at=TEN + 2 * MINUTE)
    steps.refile(session, first[3], receipt_no="再1", by=agent, at=TEN + 3 * MINUTE)
    steps.refuse_acceptance(session, first[3], reason="不属于职权", by=agent, at=TEN + 4 * MINUTE)
    steps.ask_supplement(session, first[4], words="缺图", by=agent, at=TEN + 2 * MINUTE)
    steps.grant_on_commitment(
        session, first[5], decision_no="承1", verify_by=MONDAY + timedelta(days=9), by=agent, at=TEN + 2 * MINUTE
    )
    steps.verify_commitment(session, first[5], holds=False, reason="不实", by=agent, at=TEN + 3 * MINUTE)
    perform(session, AcceptBySilence(), SYSTEM, at=TEN + timedelta(days=20))
    steps.withdraw(
        session, session.get_one(Case, first[4].case_id), reason="计划调整", by=agent, at=TEN + timedelta(days=20)
    )
    unknown = {EventKind.ORDER_DEFERRED, EventKind.ORDER_COMMITTED}  # no release before had them
    return set(EventKind) - {EventKind.VOIDED, EventKind.COMMITMENT_VERIFIED} - unknown
