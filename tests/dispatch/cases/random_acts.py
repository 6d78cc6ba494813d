"""Random acts: anybody tries anything on any case, as days go by; what the rules refuse changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import select

import db
from dispatch.acts.act import perform
from dispatch.acts.announcing import announce
from dispatch.acts.asking import SignDelegation
from dispatch.acts.case_messages import SettleCaseMessage, WithdrawEnterpriseMessage, WriteCaseMessage
from dispatch.acts.contact_notes import CorrectContactNote, NoteContact, SettleFollowUp
from dispatch.acts.correcting import CorrectEvent
from dispatch.acts.correcting_assignment import CorrectAssignment
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.daily_rules import DAILY
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.deriving import DeriveLimits, DeriveObligations
from dispatch.acts.importing import ImportCalendar
from dispatch.acts.papers import may_give
from dispatch.acts.pausing import PauseNotice
from dispatch.acts.stop_report import ReportStop
from dispatch.assignment import staffing
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote
from dispatch.cases.evaluation import Grade, Rectification, RectificationState, Ticket, TicketKind
from dispatch.cases.fact_event import FactEvent
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Power, Project, ProjectMember, Referral
from dispatch.cases.review import Review
from dispatch.cases.review_event import ReviewEvent
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.imports import CALENDAR_FILE
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.errors import DispatchError
from dispatch.core.ids import (
    AgentId,
    AssignmentId,
    CaseNo,
    ContactNoteId,
    FactEventId,
    ProjectNo,
    ReviewEventId,
    ReviewId,
    StopId,
)
from dispatch.core.special_procedure import PauseKind
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopState
from routing.day.errors import RunError
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_request, an_appointment, on_a_run, take_off

Row = TypeVar("Row")
MATTERS = (("IND-104", "IND-105"), ("IND-108", "IND-104"), ("IND-107",), ("IND-101",))
DECISIONS = (ReviewState.GRANTED, ReviewState.GRANTED, ReviewState.DENIED, ReviewState.RETURNED)


@dataclass
class RandomActs:
    """A county on which random acts are taken; ``taken``: how often each went through, ``refused``: how often not."""

    county: County
    chance: random.Random
    folder: Path
    at: datetime = TEN
    enterprises: dict[int, Actor] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    def step(self) -> None:
        """The next act that goes through, whole; what is refused before it changes nothing. Then some time passes."""
        while not self._try(self.chance.choice(ACTS)):
            self.refused += 1
        self.at += timedelta(minutes=self.chance.choice((1, 3, 10, 45)))
        if self.chance.random() < 0.03:
            self.at += timedelta(days=self.chance.choice((1, 1, 2, 4)))
        db.set_clock(self.county.session, self.at)

    def _try(self, act: Act) -> bool:
        try:
            with self.county.session.begin_nested():
                act(self)
        except (DispatchError, RunError):
            self.county.session.expire_all()
            return False
        self.taken[act.__name__] = self.taken.get(act.__name__, 0) + 1
        return True

    # ------------------------------------------------------------ who, and on what

    def one(self, noun: type[Row], *conditions: Any) -> Row:
        """A random row. Raises DispatchError where there is none."""
        rows = self.county.session.scalars(select(noun).where(*conditions)).all()
        if not rows:
            raise DispatchError(f"no {noun.__name__}")
        return self.chance.choice(rows)

    def case(self, *stages: Stage) -> Case:
        """Mostly one at a stage at which the act can go through; now and then any."""
        return self.one(Case, *self._mostly(Case.stage.in_(stages), stages))

    def review(self, *states: ReviewState) -> Review:
        """Mostly one in a state in which the act can go through; now and then any."""
        return self.one(Review, *self._mostly(Review.state.in_(states), states))

    def _mostly(self, condition: Any, named: Sequence[Any]) -> list[Any]:
        return [condition] if named and self.chance.random() < 0.9 else []

    def who(self, case: Case | None = None) -> Actor:
        """Mostly somebody who may."""
        staff = [self.county.lead, *(self.county.agent_viewer(n) for n in range(len(self.county.agents)))]
        project = None if case is None else self.county.session.get_one(Project, case.project_id)
        if project is not None and (own := self.enterprises.get(project.enterprise_id)) is not None:
            staff += [own, self.county.lead]
        return self.chance.choice(staff)

    def some(self, rows: Sequence[Row], share: float) -> list[Row]:
        return [row for row in rows if self.chance.random() < share]

    # ------------------------------------------------------------ the centre and the enterprise

    def request(self) -> None:
        n = len(self.enterprises)
        case, viewer = a_request(
            self.county, matters=self.chance.choice(MATTERS), at=self.at, phone=f"+86138{n:08d}", name=f"第{n}有限公司"
        )
        assert viewer.enterprise_id is not None
        self.enterprises[viewer.enterprise_id] = viewer
        letter = SignDelegation(
            project=ProjectNo(case.project.project_no), legal_representative="张法人", powers=tuple(Power),
            people=(AuthorisedPerson("王经理", "+8613812345678"),), valid_to=self.at.date() + timedelta(days=200),
        )  # fmt: skip
        steps.take(self.county.session, letter, viewer, self.at)

    def open_another(self) -> None:
        case = self.case()
        project = self.county.session.get_one(Project, case.project_id)
        matters = self.chance.choice(MATTERS)
        steps.open_case(self.county.session, project, matters=matters, by=self.who(case), at=self.at)

    def assign(self) -> None:
        agent = self.chance.choice(self.county.agents)
        staffing.assign(self.county.session, self.one(Project), agent_id=agent.id, by=self.county.lead, at=self.at)

    def refer(self) -> None:
        project = self.one(Project)
        lead, to = project.lead, self.chance.choice(self.county.agents)
        if lead is None or lead.agent_id == to.id:
            raise DispatchError("nobody refers it")
        staffing.refer(
            self.county.session, project, from_agent_id=lead.agent_id, to_agent_id=to.id, reason="专业", by=SYSTEM,
            at=self.at,
        )  # fmt: skip

    def answer_referral(self) -> None:
        referral = self.one(Referral, Referral.accepted_at.is_(None), Referral.declined_at.is_(None))
        project = self.county.session.get_one(Project, referral.project_id)
        if self.chance.random() < 0.5:
            staffing.decline_referral(self.county.session, project, referral, at=self.at)
        else:
            staffing.accept_referral(self.county.session, project, referral, by=self.county.lead, at=self.at)

    def give(self) -> None:
        case = self.case(Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION)
        wanted = [material for material in case.materials if may_give(case, material)]
        if not wanted:
            raise DispatchError("nothing is asked for")
        by = self.who(case)
        for material in wanted:
            steps.give_material(
                self.county.session, case, material, sha256="0" * 64, media_type="application/pdf", filename="a.pdf",
                by=by, at=self.at,
            )  # fmt: skip

    def prescreen(self) -> None:
        case = self.case(Stage.ASSIGNED)
        defects = {m.id: "缺章" for m in self.some(case.materials, self.chance.choice((0, 0, 0.2)))}
        may_wait = [m for m in case.materials if m.deferrable and m.id not in defects]
        until = self.at.date() + timedelta(days=self.chance.randint(1, 9))
        deferred = {m.id: until for m in self.some(may_wait, 0.5)}
        by = self.who(case)
        steps.prescreen(self.county.session, case, by=by, at=self.at, defects=defects, deferred=deferred)

    def correct(self) -> None:
        case = self.case(Stage.CORRECTION)
        steps.correct(self.county.session, case, by=self.who(case), at=self.at)

    def book(self) -> None:
        how = self.chance.choice((steps.book_pickup, steps.book_pickup, steps.book_delivery, steps.book_exchange))
        case = self.case(Stage.PRESCREENED if how is steps.book_pickup else Stage.DECIDED)
        how(self.county.session, case, appointment=an_appointment(self._workday(1)), by=self.who(case), at=self.at)

    def hand_in(self) -> None:
        steps.hand_in(
            self.county.session, self.case(Stage.PRESCREENED), by=self.county.lead, at=self.at, scan_id=str(uuid4())
        )

    def submit(self) -> None:
        case = self.case(Stage.COLLECTED, Stage.UNDER_REVIEW)
        steps.submit(self.county.session, case, receipts={}, by=self.who(case), at=self.at)

    def deliver(self) -> None:
        steps.deliver(self.county.session, self.case(Stage.DECIDED), by=self.county.lead, at=self.at, who="王经理")

    def leave(self) -> None:
        case = self.case()
        if self.chance.random() > 0.25:
            raise DispatchError("they stay")
        how = self.chance.choice((steps.withdraw, steps.refuse))
        how(self.county.session, case, reason="计划变更", by=self.county.lead, at=self.at)

    def evaluate(self) -> None:
        case = self.case(Stage.DELIVERED)
        project = self.county.session.get_one(Project, case.project_id)
        grades = {
            r.id: (self.chance.choice((Grade.DISSATISFIED, Grade.SATISFIED)), "慢")
            for r in reviews_of(self.county.session, case)
        }
        by = self.enterprises[project.enterprise_id]
        steps.evaluate(self.county.session, case, grades=grades, by=by, at=self.at)

    def rectify(self) -> None:
        state = self.chance.choice(list(RectificationState))
        steps.rectify(self.county.session, self.one(Rectification), state, words="已核实", by=SYSTEM, at=self.at)

    def ask(self) -> None:
        case, kind = self.case(), self.chance.choice(list(TicketKind))
        steps.open_ticket(self.county.session, kind=kind, words="为什么", case=case, by=self.who(case), at=self.at)

    def note_contact(self) -> None:
        case = self.case()
        left = self._workday(self.chance.randint(0, 5)) if not case.has_ended and self.chance.random() < 0.5 else None
        note = NoteContact(case=case.case_no, words="约补交材料", follow_up_on=left)  # type: ignore[arg-type]
        steps.take(self.county.session, note, self.who(case), self.at)

    def write_message(self) -> None:
        case = self.case()
        by = self.enterprises[case.project.enterprise_id] if self.chance.random() < 0.6 else self.who(case)
        steps.take(self.county.session, WriteCaseMessage(case=case.case_no, words="何时踏勘？"), by, self.at)  # type: ignore[arg-type]

    def end_message(self) -> None:
        message = self.one(CaseMessage, CaseMessage.withdrawn_at.is_(None), CaseMessage.is_theirs)
        case = self.county.session.get_one(Case, message.case_id)
        named = {"case": case.case_no, "case_message": message.id}
        if self.chance.random() < 0.5:
            by = self.enterprises[case.project.enterprise_id]
            steps.take(self.county.session, WithdrawEnterpriseMessage(**named), by, self.at)  # type: ignore[arg-type]
        else:
            settle = SettleCaseMessage(**named, reason="已电话答复")  # type: ignore[arg-type]
            steps.take(self.county.session, settle, self.who(case), self.at)

    def follow_up(self) -> None:
        note = self.one(ContactNote, ContactNote.follow_up_on.is_not(None), ContactNote.followed_at.is_(None))
        case = self.county.session.get_one(Case, note.case_id)
        settle = SettleFollowUp(case=case.case_no, contact_note=note.id)  # type: ignore[arg-type]
        steps.take(self.county.session, settle, self.who(case), self.at)

    def correct_note(self) -> None:
        note = self.one(ContactNote)
        case = self.county.session.get_one(Case, note.case_id)
        wrong = CorrectContactNote(
            case=CaseNo(case.case_no), contact_note=ContactNoteId(note.id), reason="误录",
            never_was=self.chance.random() < 0.3, words="约改日补交", not_followed=self.chance.random() < 0.5,
        )  # fmt: skip
        steps.take(self.county.session, wrong, self.county.lead, self.at)

    def answer(self) -> None:
        steps.answer(
            self.county.session,
            self.one(Ticket, Ticket.answered_at.is_(None)),
            reply="答复",
            by=self.county.lead,
            at=self.at,
        )

    # ------------------------------------------------------------ couriers

    def plan(self) -> None:
        stop = self.one(CourierStop, CourierStop.state == StopState.OPEN)
        on_a_run(self.county, stop)
        announce(
            self.county.session, stop, courier_name=self.county.couriers[0].name, opens_s=9 * 3600,
            closes_s=11 * 3600, by=SYSTEM, at=self.at,
        )  # fmt: skip

    def report(self) -> None:
        stop = self.one(CourierStop, CourierStop.state.in_((StopState.PLANNED, StopState.DONE, StopState.FAILED)))
        act = self.chance.choice((StopAct.COLLECTED, StopAct.DELIVERED, StopAct.FAILED, StopAct.UNDONE))
        parcels = self.county.session.scalars(select(Parcel).where(Parcel.stop_id == stop.id)).all()
        said = ReportStop(
            stop=StopId(stop.id), event_id=uuid4(), act=act, note="更正", inspected=True, identity_checked=True,
            code=next((p.code for p in parcels if p.code), None), reason=self.chance.choice(list(FailReason)),
            signature="0" * 64, photos=("1" * 64,),
        )  # fmt: skip
        steps.report_stop(self.county.session, stop, said, by=self.county.courier_viewer(), at=self.at)

    def scan(self) -> None:
        to = self.chance.choice((Holder.CENTRE, Holder.AUTHORITY, Holder.COURIER))
        ref = f"courier:{self.county.couriers[0].id}" if to is Holder.COURIER else ""
        steps.scan(
            self.county.session, self.one(Parcel), to=to, scan_id=str(uuid4()), by=self.county.lead, at=self.at, ref=ref
        )

    # ------------------------------------------------------------ the authorities

    def accept(self) -> None:
        steps.accept(
            self.county.session, self.review(ReviewState.SUBMITTED), notice_no="受1", by=self.county.lead, at=self.at
        )

    def do_not_accept(self) -> None:
        review = self.review(ReviewState.SUBMITTED)
        if self.chance.random() < 0.5:
            steps.ask_supplement(self.county.session, review, words="补图", by=self.county.lead, at=self.at)
        else:
            steps.refuse_acceptance(self.county.session, review, reason="不属本部门", by=self.county.lead, at=self.at)

    def refile(self) -> None:
        steps.refile(
            self.county.session, self.review(ReviewState.SUPPLEMENT), receipt_no="收2", by=self.county.lead, at=self.at
        )

    def pause(self) -> None:
        notice = PauseNotice(PauseKind.EXPERT_REVIEW, "评1", self._workday(self.chance.randint(1, 6)), maximum_wd=5)
        steps.pause(self.county.session, self.review(ReviewState.ACCEPTED), notice, by=self.county.lead, at=self.at)

    def resume(self) -> None:
        steps.resume(self.county.session, self.review(ReviewState.PAUSED), by=self.county.lead, at=self.at)

    def extend(self) -> None:
        steps.extend(
            self.county.session,
            self.review(ReviewState.ACCEPTED),
            working_days=3,
            words="复杂",
            by=self.county.lead,
            at=self.at,
        )

    def decide(self) -> None:
        outcome = self.chance.choice(DECISIONS)
        steps.decide(
            self.county.session, self.review(ReviewState.ACCEPTED, ReviewState.EXTENDED), outcome=outcome,
            decision_no="决1", reason="理由", by=self.county.lead, at=self.at,
        )  # fmt: skip

    def grant_on_commitment(self) -> None:
        until = self.at.date() + timedelta(days=20)
        steps.grant_on_commitment(
            self.county.session,
            self.review(ReviewState.ACCEPTED),
            decision_no="承1",
            verify_by=until,
            by=self.county.lead,
            at=self.at,
        )

    def verify_commitment(self) -> None:
        holds = self.chance.random() < 0.5
        steps.verify_commitment(
            self.county.session,
            self.review(ReviewState.GRANTED),
            holds=holds,
            reason="核查",
            by=self.county.lead,
            at=self.at,
        )

    # ------------------------------------------------------------ corrections, the calendar, the day

    def correct_event(self) -> None:
        event = self.one(ReviewEvent)
        step = CorrectEvent(
            review=ReviewId(event.review_id),
            event=ReviewEventId(event.id),
            reason="误录",
            never_was=self.chance.random() < 0.5,
        )
        if not step.never_was:
            step = replace(step, on=event.happened_on - timedelta(days=self.chance.randint(0, 2)))
        steps.take(self.county.session, step, self.county.lead, self.at)

    def correct_fact(self) -> None:
        event = self.one(FactEvent)
        step = CorrectFact(fact=FactEventId(event.id), reason="误录", never_was=self.chance.random() < 0.5)
        if not step.never_was:
            step = replace(step, on=event.happened_on - timedelta(days=self.chance.randint(0, 2)))
        steps.take(self.county.session, step, self.county.lead, self.at)

    def correct_assignment(self) -> None:
        member = self.one(ProjectMember)
        agent, day = self.chance.choice(self.county.agents), self.at.date() - timedelta(days=self.chance.randint(0, 4))
        step = CorrectAssignment(
            project=ProjectNo(member.project.project_no), assignment=AssignmentId(member.id), reason="误录",
            agent_id=AgentId(agent.id) if self.chance.random() < 0.5 else None,
            on=day if self.chance.random() < 0.6 else None,
        )  # fmt: skip
        steps.take(self.county.session, step, self.county.lead, self.at)

    def move_the_calendar(self) -> None:
        if self.chance.random() > 0.2:
            raise DispatchError("no notice today")
        session = self.county.session
        if self.chance.random() < 0.5:
            take_off(session, self.folder, *(self._workday(n) for n in (1, 3)))
        else:
            perform(session, ImportCalendar(CALENDAR_FILE), SYSTEM, at=self.at)
        for ended in (False, True):
            after: int | None = 0
            while after is not None:
                after = perform(session, DeriveLimits(after=after, ended=ended), SYSTEM, at=self.at).last
        perform(session, DeriveObligations(), SYSTEM, at=self.at)

    def let_the_day_pass(self) -> None:
        for rule in DAILY:
            perform(self.county.session, rule(), SYSTEM, at=self.at)

    def _workday(self, days: int) -> date:
        return calendar_of(self.county.session).add_working_days(self.at.date(), days)


Act = Callable[[RandomActs], None]
OFTEN: tuple[Act, ...] = (
    RandomActs.assign, RandomActs.give, RandomActs.prescreen, RandomActs.prescreen, RandomActs.correct, RandomActs.book,
    RandomActs.hand_in, RandomActs.submit, RandomActs.accept, RandomActs.accept, RandomActs.decide, RandomActs.decide,
    RandomActs.deliver, RandomActs.evaluate, RandomActs.plan, RandomActs.report, RandomActs.report,
)  # fmt: skip
ACTS: tuple[Act, ...] = (
    *OFTEN, *OFTEN,
    RandomActs.request, RandomActs.open_another, RandomActs.refer, RandomActs.answer_referral, RandomActs.leave,
    RandomActs.rectify, RandomActs.ask, RandomActs.answer, RandomActs.scan, RandomActs.do_not_accept, RandomActs.refile,
    RandomActs.pause, RandomActs.resume, RandomActs.extend, RandomActs.grant_on_commitment,
    RandomActs.verify_commitment, RandomActs.correct_event, RandomActs.correct_fact, RandomActs.correct_assignment,
    RandomActs.note_contact, RandomActs.follow_up, RandomActs.correct_note, RandomActs.write_message,
    RandomActs.end_message,
    RandomActs.move_the_calendar, RandomActs.let_the_day_pass,
)  # fmt: skip
