"""Two at once: the last slot, one plan, one case, one scan: exactly one of two wins and the other is told."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from agents.roster import Agent
from dispatch.acts.act import perform
from dispatch.acts.asking import AlreadyAsked, PartyGiven, RequestProject, SiteGiven
from dispatch.assignment import staffing
from dispatch.cases import lookups
from dispatch.cases.access_control import case_for, parcel_for, project_for
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.matter import Family
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.errors import AlreadyHeld, NoCapacity, WrongStage
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from notifications.message import Message
from routing.day import plan_jobs, planning
from routing.day.courier_run import CourierRun
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.hours import Cutoff
from routing.travel import Geodesic
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, a_request, an_appointment, the_county

WORDS_OF_NOBODY = "waits at a barrier that nobody else reaches"


def both(sessions: sessionmaker[Session], *acts: Callable[[Session], Any]) -> list[Any]:
    """Each act in a thread and a transaction of its own, begun together; what each returned or raised."""
    start = threading.Barrier(len(acts), timeout=60)
    came: list[Any] = [WORDS_OF_NOBODY] * len(acts)

    def run(n: int, act: Callable[[Session], Any]) -> None:
        try:
            with sessions.begin() as session:
                start.wait()
                came[n] = act(session)
        except Exception as error:  # noqa: BLE001  whatever one of two raises is this test's result
            came[n] = error

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return came


def raised(came: list[Any]) -> list[type]:
    return [type(one) for one in came if isinstance(one, Exception)]


def test_of_two_who_take_the_last_slot_one_gets_it(county_sessions: sessionmaker[Session]) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        numbers = [session.get_one(Project, a_request(county)[0].project_id).project_no for _ in range(2)]
        agent_id = county.agents[0].id
        county.agents[0].capacity = 1

    def take(number: str) -> Callable[[Session], Any]:
        def act(session: Session) -> Any:
            project = project_for(session, SYSTEM, number, lock=True)
            return staffing.assign(session, project, agent_id=agent_id, by=SYSTEM, at=TEN)

        return act

    came = both(county_sessions, *(take(number) for number in numbers))
    assert raised(came) == [NoCapacity]
    with county_sessions() as session:
        assert session.get_one(Agent, agent_id).held == 1
        assert sorted(session.scalars(select(Case.stage))) == [Stage.ASSIGNED, Stage.REQUESTED]
        assert len(session.scalars(select(Message).where(Message.text_name == "assigned")).all()) == 1


def test_one_preview_is_committed_once(county_sessions: sessionmaker[Session]) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        case, viewer = a_prescreened_case(county)
        appointment = an_appointment()
        steps.book_pickup(session, case, appointment=appointment, by=viewer, at=TEN)
        plan_id = plan_jobs.queue_plan(
            session, division_id=county.division.id, on=appointment.on, cutoff=Cutoff.AM, limit_s=1, by="", at=TEN
        ).id
        lead: Actor = county.lead
    state = planning.work_on(county_sessions, plan_id, travel=Geodesic(), max_iterations=50)
    assert state is PlanState.PREVIEW
    assert planning.work_on(county_sessions, plan_id, travel=Geodesic()) is None

    def commit(session: Session) -> Any:
        return steps.commit_plan(session, session.get_one(DayPlan, plan_id), by=lead, at=TEN)

    came = both(county_sessions, commit, commit)
    assert raised(came) == [PlanConflict]
    with county_sessions() as session:
        assert len(session.scalars(select(CourierRun)).all()) == 1
        assert len(session.scalars(select(Message).where(Message.text_name == "pickup")).all()) == 1
        assert session.scalars(select(Case.stage)).one() is Stage.PICKUP_PLANNED


def test_a_commit_and_a_withdrawal_do_not_wait_for_each_other_for_ever(county_sessions: sessionmaker[Session]) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        case, viewer = a_prescreened_case(county)
        steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
        plan_id = plan_jobs.queue_plan(
            session, division_id=county.division.id, on=an_appointment().on, cutoff=Cutoff.AM, limit_s=1, by="", at=TEN
        ).id
        case_no, lead = case.case_no, county.lead
    planning.work_on(county_sessions, plan_id, travel=Geodesic(), max_iterations=50)
    came = both(
        county_sessions,
        lambda session: steps.commit_plan(session, session.get_one(DayPlan, plan_id), by=lead, at=TEN),
        lambda session: steps.withdraw(
            session, case_for(session, SYSTEM, case_no, lock=True), reason="计划变更", by=SYSTEM, at=TEN
        ),
    )
    assert set(raised(came)) <= {PlanConflict}
    with county_sessions() as session:
        assert session.scalars(select(Case.stage)).one() is Stage.WITHDRAWN


def test_one_parcel_is_scanned_by_two_at_once(county_sessions: sessionmaker[Session]) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        case, _ = a_prescreened_case(county)
        waybill = steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="in").waybill

    def scan(scan_id: str) -> Callable[[Session], Any]:
        def act(session: Session) -> Any:
            parcel = parcel_for(session, SYSTEM, waybill, lock=True)
            return steps.scan(session, parcel, to=Holder.AUTHORITY, ref="authority", scan_id=scan_id, by=SYSTEM, at=TEN)

        return act

    assert raised(both(county_sessions, scan("a"), scan("a"))) == []
    with county_sessions() as session:
        assert session.scalars(select(Parcel.chain_length)).one() == 2
    assert raised(both(county_sessions, scan("b"), scan("c"))) == [AlreadyHeld, AlreadyHeld]
    with county_sessions() as session:
        assert list(verification.verify(session)) == []


def test_a_case_is_submitted_once(county_sessions: sessionmaker[Session]) -> None:
    with county_sessions.begin() as session:
        county = the_county(session)
        case, _ = a_prescreened_case(county)
        steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="in")
        case_no = case.case_no

    def submit(session: Session) -> Any:
        return steps.submit(session, case_for(session, SYSTEM, case_no, lock=True), receipts={}, by=SYSTEM, at=TEN)

    assert raised(both(county_sessions, submit, submit)) == [WrongStage]


def test_numbers_of_a_county_and_day_are_given_once_and_without_a_gap(county_sessions: sessionmaker[Session]) -> None:
    came = both(county_sessions, *(lambda s: lookups.next_number(s, f"X-{MONDAY:%Y%m%d}", width=3) for _ in range(6)))
    assert sorted(came) == [f"X-20261123-{n:03d}" for n in range(1, 7)]
    with county_sessions() as session:
        lookups.next_number(session, f"X-{MONDAY:%Y%m%d}", width=3)
        session.rollback()
    with county_sessions.begin() as session:
        assert lookups.next_number(session, f"X-{MONDAY:%Y%m%d}", width=3).endswith("007")


def test_of_two_same_requests_one_opens_the_project(county_sessions: sessionmaker[Session]) -> None:
    """Also of an enterprise that nobody knows yet: it is made once."""
    with county_sessions.begin() as session:
        the_county(session)
    command = RequestProject(
        name="二期", family=Family.INDUSTRIAL_PERMIT, site=SiteGiven("320412100000"), matters=("IND-104",),
        party=PartyGiven("常州精机有限公司", "91350100M000100Y43", "王经理", "13812345678"),
    )  # fmt: skip
    came = both(county_sessions, *(lambda session: perform(session, command, SYSTEM),) * 2)
    assert raised(came) == [AlreadyAsked]
    with county_sessions() as session:
        assert len(session.scalars(select(Project.id)).all()) == 1


def test_two_who_write_of_one_case_fold_what_it_owes_in_turn(
    county_sessions: sessionmaker[Session],
) -> None:
    """Each row that names the case holds its key until the end of its transaction: neither waits for the other's."""
    with county_sessions.begin() as session:
        case_id = a_prescreened_case(the_county(session))[0].id
    written = threading.Barrier(2, timeout=60)

    def write(session: Session) -> None:
        case = session.get_one(Case, case_id)
        session.add(CaseEvent(case_id=case_id, kind="note", at=TEN, stage=case.stage, actor="x", words="记录"))
        session.flush()
        written.wait()

    assert raised(both(county_sessions, write, write)) == []
