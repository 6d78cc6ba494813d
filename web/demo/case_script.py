"""Case script: one demo project walks the path through the program's own steps, with a clock of its own."""

import uuid
from datetime import date, datetime, time, timedelta

import db
from agents.roster import Agent
from dispatch.acts import (
    acceptance,
    announcing,
    booking,
    closing,
    collection,
    deciding,
    delegation,
    delivery,
    early_ends,
    filing,
    papers,
    pausing,
    prescreening,
    project_intake,
    stop_report,
)
from dispatch.assignment import apply_batch
from dispatch.assignment.assign_one import place
from dispatch.cases import lookups
from dispatch.cases.case import MaterialState, Way
from dispatch.cases.evaluation import Grade
from dispatch.cases.project import Intermediary, Power, Project
from dispatch.cases.review import ReviewPause, ReviewState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.ids import StopId
from dispatch.core.shanghai_time import utc
from dispatch.core.special_procedure import PauseKind
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop, StopAct, StopState
from routing.day.stops import Address
from web.demo.case_plans import CasePlan, Variation
from web.demo.case_request import add_enterprise, draw_intake
from web.demo.context import NOW, TODAY, DemoContext
from web.demo.fake_data import Firm

HOUR_S = 3600


class CaseScript:
    """One project on its path, with a clock of its own that moves through working hours."""

    def __init__(self, context: DemoContext, plan: CasePlan) -> None:
        """The enterprise asks for proxy handling."""
        fake = context.fake
        self.context, self.plan, self.session = context, plan, context.session
        self.calendar = calendar_of(context.session)
        begins_on = TODAY if plan.began_wd == 0 else self.calendar.add_working_days(TODAY, -plan.began_wd)
        self.at = utc(begins_on, time(8 if plan.began_wd == 0 else 9, fake.random.randrange(5, 55)))
        self.firm: Firm = fake.firm()
        self.town = fake.random.choice(context.towns)
        self.enterprise, self.contact = add_enterprise(self.session, self.firm, self.town, at=self.at)
        self.requester = Actor(Role.ENTERPRISE, name=self.contact.name, enterprise_id=self.enterprise.id)
        self.lon, self.lat = fake.near(self.town.lon, self.town.lat)
        self.address = fake.address(self.town.name)
        site = project_intake.ProjectSite(self.town.code, self.lon, self.lat, self.address)
        self.case = project_intake.request(
            self.session,
            enterprise=self.enterprise,
            contact=self.contact,
            intake=draw_intake(context, plan, self.firm, site),
            by=self.requester,
            at=self.at,
        )
        self.project = self.session.get_one(Project, self.case.project_id)

    # ---- the clock, and who acts

    def later(self, *, days: int = 0, minutes: int = 47) -> datetime:
        """Move on, but never beyond a quarter to ten today; returns the new moment."""
        if days:
            local = self.at.astimezone(db.SHANGHAI)
            self.at = utc(self.calendar.add_working_days(local.date(), days), time(9, 20))
        self.at = min(self.at + timedelta(minutes=minutes), NOW - timedelta(minutes=15))
        return self.at

    @property
    def agent(self) -> Actor:
        """The agent who leads the project."""
        member = self.project.lead
        assert member is not None
        row = self.session.get_one(Agent, member.agent_id)
        return Actor(Role.AGENT, name=row.name, agent_id=row.id)

    # ---- the steps

    def assign(self) -> bool:
        """Whether an agent was found."""
        placed = place(self.session, self.project, by=SYSTEM, at=self.later(minutes=25))
        apply_batch.tell_placed(self.session, at=self.at, project_id=self.project.id)
        return placed is not None

    def find_nobody(self) -> None:
        """No agent speaks the language that is asked for: the project waits, and the reason is kept."""
        self.project.language = "ja"
        place(self.session, self.project, by=SYSTEM, at=self.later())

    def refuse(self) -> None:
        early_ends.refuse(
            self.session, self.case, reason="不属于代办范围，已转窗口受理", by=self.agent, at=self.later()
        )

    def delegate(self) -> None:
        second = delegation.AuthorisedPerson(self.context.fake.person(), self.context.fake.phone())
        delegation.delegate(
            self.session, self.project, legal_representative=self.firm.legal, powers=list(Power),
            people=[delegation.AuthorisedPerson(self.firm.contact, self.firm.phone), second],
            valid_to=date(2027, 12, 31), by=self.requester, at=self.later(minutes=10),
        )  # fmt: skip
        for material in self.case.materials:
            if material.state is MaterialState.WANTED and not material.on_paper:
                papers.give_material(
                    self.session, self.case, material, sha256=f"{material.id:064x}", media_type="application/pdf",
                    filename=f"{material.name}.pdf", by=self.requester, at=self.at,
                )  # fmt: skip

    def prescreen(self) -> None:
        deferred = {}
        if self.plan.variation is Variation.DEFERRED:
            first = next((m for m in self.case.materials if m.deferrable), None)
            if first is not None:
                deferred = {first.id: TODAY + timedelta(days=1)}
        prescreening.prescreen(self.session, self.case, by=self.agent, at=self.later(days=1), deferred=deferred)

    def ask_correction(self) -> None:
        chosen = [m for m in self.case.materials if m.state is MaterialState.GIVEN][:2] or self.case.materials[:1]
        defects = ("加盖的公章与营业执照名称不一致", "缺少附件2，请补充法定代表人签字页")
        prescreening.prescreen(
            self.session, self.case, by=self.agent, at=self.later(minutes=60),
            defects={m.id: defects[n % 2] for n, m in enumerate(chosen)},
        )  # fmt: skip

    def book_today(self) -> None:
        """A courier comes for the originals today."""
        if self.case.pickup_way is Way.ELECTRONIC:
            return
        windows = ((10, 12), (14, 17), (11, 12))
        fails = self.plan.variation is Variation.FAILED_ATTEMPT
        opens, closes = (9, 10) if fails else windows[self.case.id % len(windows)]
        self.at = min(self.at, utc(TODAY, time(8, 20)))
        booking.book_pickup(
            self.session,
            self.case,
            appointment=self._appointment(TODAY, opens, closes),
            by=self.requester,
            at=self.at,
        )

    def _appointment(self, on: date, opens: int, closes: int) -> booking.Appointment:
        place = Address(self.lon, self.lat, self.address, self.firm.contact, self.firm.phone, self.firm.name)
        return booking.Appointment(on=on, opens_s=opens * HOUR_S, closes_s=closes * HOUR_S, address=place)

    def bring_papers(self) -> None:
        """The originals came in on an earlier day, without a run of today's."""
        if self.case.pickup_way is Way.ELECTRONIC:
            return
        on = max(
            self.at.astimezone(db.SHANGHAI).date(),
            self.calendar.add_working_days(TODAY, -max(1, self.plan.began_wd - 1)),
        )
        on = self.calendar.first_workday_from(on)
        if utc(on, time(10, 30)) >= NOW:
            scan_id = str(uuid.UUID(int=self.case.id))
            collection.hand_in(self.session, self.case, by=self.agent, at=self.later(), scan_id=scan_id)
            return
        parcel = self._collect(on)
        if self.plan.variation is not Variation.WITH_COURIER:
            assert parcel.centre_id is not None
            collection.receive(
                self.session, self.case, parcel, centre_id=parcel.centre_id, scan_id=f"in:{parcel.waybill}",
                by=self.agent, at=self.later(minutes=80),
            )  # fmt: skip

    def _collect(self, on: date) -> Parcel:
        self.at = max(self.at, utc(on, time(8, 30)))
        parcel = booking.book_pickup(
            self.session, self.case, appointment=self._appointment(on, 9, 12), by=self.requester, at=self.at
        )
        courier = self.context.fake.random.choice(self.context.couriers)
        stop = self.session.get_one(CourierStop, parcel.stop_id)
        stop.move_to(StopState.PLANNED)
        announcing.announce(
            self.session,
            stop,
            courier_name=courier.name,
            opens_s=9 * HOUR_S,
            closes_s=11 * HOUR_S,
            by=SYSTEM,
            at=self.at,
        )
        self.at = max(self.at, utc(on, time(9, 50)))
        report = stop_report.ReportStop(stop=StopId(stop.id),
            event_id=uuid.UUID(int=self.case.id), act=StopAct.COLLECTED, code=parcel.code, inspected=True,
            seal_no=f"S{parcel.id:07d}",
        )  # fmt: skip
        driver = Actor(Role.COURIER, name=courier.name, courier_id=courier.id)
        stop_report.report_stop(self.session, stop, report, by=driver, at=self.at)
        return parcel

    def withdraw(self) -> None:
        early_ends.withdraw(self.session, self.case, reason="投资计划调整", by=self.requester, at=self.later())

    def submit(self) -> None:
        receipts = {review.id: f"SL{review.id:06d}" for review in lookups.reviews_of(self.session, self.case)}
        filing.submit(self.session, self.case, receipts=receipts, by=self.agent, at=self.later(minutes=90))

    def accept(self) -> None:
        """The authorities accept; then one review is paused, extended or supplemented if the plan says so."""
        for n, review in enumerate(lookups.reviews_of(self.session, self.case)):
            if self.plan.variation is Variation.SUPPLEMENT and n == 0:
                acceptance.ask_supplement(
                    self.session, review, words="总平面图缺少日照分析，请补正", by=self.agent, at=self.later(minutes=30)
                )
                continue
            acceptance.accept(
                self.session,
                review,
                notice_no=f"武受〔2026〕{review.id:04d}号",
                by=self.agent,
                at=self.later(minutes=20),
            )
        self._apply_review_variation()

    def _apply_review_variation(self) -> None:
        accepted = [r for r in lookups.reviews_of(self.session, self.case) if r.state is ReviewState.ACCEPTED]
        if not accepted:
            return
        review = accepted[0]
        on = self.at.astimezone(db.SHANGHAI).date()
        if self.plan.variation is Variation.PAUSE:
            pause = ReviewPause(
                kind=PauseKind.EXPERT_REVIEW, notice_no=f"武特〔2026〕{review.id:03d}号", starts_on=on,
                expected_end_on=self.calendar.add_working_days(TODAY, 3), maximum_wd=20,
            )  # fmt: skip
            pausing.pause(self.session, review, pause, by=self.agent, at=self.later(days=1))
        elif self.plan.variation is Variation.EXTENDED:
            pausing.extend(
                self.session, review, working_days=10, approved_on=on, reason="技术审查意见较多", by=self.agent,
                at=self.later(days=1),
            )  # fmt: skip

    def add_intermediary(self) -> None:
        """The enterprise has a survey made by a firm of its own choice."""
        survey = Intermediary(
            project_id=self.project.id, name="岩土工程勘察", firm="（企业自行委托）", promised_wd=10,
            started_on=self.at.astimezone(db.SHANGHAI).date(), fee_payer="企业",
        )  # fmt: skip
        self.session.add(survey)

    def decide(self) -> None:
        self.later(days=1)
        for n, review in enumerate(lookups.reviews_of(self.session, self.case)):
            is_denied = self.plan.variation is Variation.DENIED and n == 0
            deciding.decide(
                self.session, review, outcome=ReviewState.DENIED if is_denied else ReviewState.GRANTED,
                decision_no=f"武{'不准' if is_denied else '准'}〔2026〕{review.id:04d}号", by=self.agent,
                at=self.later(minutes=10),
                reason="选址不符合国土空间规划；可在60日内申请复议或6个月内提起诉讼" if is_denied else "",
            )  # fmt: skip

    def book_delivery_today(self) -> None:
        booking.book_delivery(
            self.session,
            self.case,
            appointment=self._appointment(TODAY, 9, 12),
            by=self.requester,
            at=self.later(),
        )

    def deliver(self) -> None:
        if self.case.delivery_way is Way.ELECTRONIC:
            delivery.deliver_electronically(self.session, self.case, by=self.agent, at=self.later(minutes=30))
        else:
            delivery.fetched(self.session, self.case, who=self.firm.contact, by=self.agent, at=self.later(minutes=200))

    def evaluate(self) -> None:
        reviews = lookups.reviews_of(self.session, self.case)
        grades = {review.id: (Grade.VERY_SATISFIED, "") for review in reviews}
        if self.plan.variation is Variation.BAD_GRADE:
            grades[reviews[0].id] = (Grade.DISSATISFIED, "同一材料跑了两次，解释不清楚")
        closing.evaluate(self.session, self.case, grades=grades, by=self.requester, at=self.later(minutes=120))
