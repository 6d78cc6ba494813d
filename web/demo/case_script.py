"""Case script: one demo project walks the path through the program's own steps, with a clock of its own."""

import uuid
from dataclasses import replace
from datetime import date, time, timedelta
from typing import TypeVar

from sqlalchemy import select

import db
from agents.roster import Agent
from dispatch.acts.acceptance import AcceptReview, AskSupplement
from dispatch.acts.act import Act, perform
from dispatch.acts.announcing import announce
from dispatch.acts.asking import SignDelegation, SiteGiven
from dispatch.acts.assigning import AssignProject
from dispatch.acts.booking import BookDelivery, BookPickup
from dispatch.acts.closing import EvaluateCase, GradeGiven
from dispatch.acts.deciding import DenyReview, GrantReview
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.delivery import RecordDelivered
from dispatch.acts.early_ends import RefuseCase, WithdrawCase
from dispatch.acts.filing import SubmitCase
from dispatch.acts.papers import GiveMaterial
from dispatch.acts.pausing import ExtendReview, PauseReview
from dispatch.acts.prescreening import PrescreenCase
from dispatch.acts.scanning import ScanParcel
from dispatch.acts.stop_report import ReportStop
from dispatch.cases import lookups
from dispatch.cases.case import Case, Material, MaterialState, Way
from dispatch.cases.evaluation import Grade
from dispatch.cases.project import Intermediary, Power, Project
from dispatch.cases.project_order import NOTHING_FIRST, open_prerequisites
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.ids import CaseNo, FileId, MaterialId, ProjectNo, ReviewId, StopId, Waybill
from dispatch.core.shanghai_time import utc
from dispatch.core.special_procedure import PauseKind
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop, StopAct
from web.demo.case_plans import CasePlan, Variation
from web.demo.case_request import add_enterprise, draw_request
from web.demo.context import NOW, TODAY, DemoContext
from web.demo.earlier_runs import put_on_run
from web.demo.fake_data import Firm

HOUR_S = 3600
DENIED_FOR = "选址不符合国土空间规划；可在60日内申请复议或6个月内提起诉讼"
TOO_MANY_REMARKS = "技术审查意见较多"
COMPLAINED = "同一材料跑了两次，解释不清楚"
Result = TypeVar("Result")


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
        self.enterprise, contact = add_enterprise(self.session, self.firm, self.town, at=self.at)
        self.requester = Actor(Role.ENTERPRISE, name=contact.name, enterprise_id=self.enterprise.id)
        lon, lat = fake.near(self.town.lon, self.town.lat)
        site = SiteGiven(self.town.code, lon, lat, fake.address(self.town.name))
        asked = self.act(draw_request(context, plan, self.firm, site, contact), by=self.requester)
        self.case_no, self.project_no = CaseNo(asked.case_no), ProjectNo(asked.project_no)
        self.case = self.session.scalars(select(Case).where(Case.case_no == asked.case_no)).one()
        self.project = self.session.get_one(Project, self.case.project_id)

    def act(self, step: Act[Result], *, by: Actor) -> Result:
        """One step of the path, at the script's own time."""
        return perform(self.session, step, by, at=self.at)

    # ---- the clock, and who acts

    def later(self, *, days: int = 0, minutes: int = 47) -> None:
        """Move on, but never beyond a quarter to ten today."""
        if days:
            local = self.at.astimezone(db.SHANGHAI)
            self.at = utc(self.calendar.add_working_days(local.date(), days), time(9, 20))
        self.at = min(self.at + timedelta(minutes=minutes), NOW - timedelta(minutes=15))

    @property
    def agent(self) -> Actor:
        """The agent who leads the project."""
        member = self.project.lead
        assert member is not None
        row = self.session.get_one(Agent, member.agent_id)
        return Actor(Role.AGENT, name=row.name, agent_id=row.id)

    # ---- the steps

    def assign(self) -> None:
        """An agent is found: whatever comes next is done by that one."""
        self.later(minutes=25)
        self.act(AssignProject(project=self.project_no, mode="auto"), by=SYSTEM)

    def find_nobody(self) -> None:
        """No agent speaks the language that is asked for: the project waits, and the reason is kept."""
        self.later()
        self.act(AssignProject(project=self.project_no, mode="auto"), by=SYSTEM)

    def refuse(self) -> None:
        self.later()
        self.act(RefuseCase(case=self.case_no, reason="不属于代办范围，已转窗口受理"), by=self.agent)

    def delegate(self) -> None:
        second = AuthorisedPerson(self.context.fake.person(), self.context.fake.phone())
        self.later(minutes=10)
        letter = SignDelegation(
            project=self.project_no, legal_representative=self.firm.legal, powers=tuple(Power),
            people=(AuthorisedPerson(self.firm.contact, self.firm.phone), second), valid_to=date(2027, 12, 31),
        )  # fmt: skip
        self.act(letter, by=self.requester)
        for material in self.case.materials:
            if material.state is MaterialState.WANTED and not material.on_paper and material is not self._late_paper:
                given = GiveMaterial(
                    case=self.case_no, material_id=MaterialId(material.id), sha256=FileId(f"{material.id:064x}"),
                    media_type="application/pdf", filename=f"{material.name}.pdf",
                )  # fmt: skip
                self.act(given, by=self.requester)

    @property
    def _late_paper(self) -> Material | None:
        """What may follow later, and does (容缺)."""
        follows = self.plan.variation is Variation.DEFERRED
        return next(m for m in self.case.materials if m.deferrable) if follows else None

    def prescreen(self) -> None:
        late = self._late_paper
        deferred = {} if late is None else {MaterialId(late.id): TODAY + timedelta(days=1)}
        self.later(days=1)
        self.act(PrescreenCase(case=self.case_no, deferred=deferred), by=self.agent)

    def ask_correction(self) -> None:
        chosen = [m for m in self.case.materials if m.state is MaterialState.GIVEN][:2] or self.case.materials[:1]
        words = ("加盖的公章与营业执照名称不一致", "缺少附件2，请补充法定代表人签字页")
        defects = {MaterialId(m.id): words[n % 2] for n, m in enumerate(chosen)}
        self.later(minutes=60)
        self.act(PrescreenCase(case=self.case_no, defects=defects), by=self.agent)

    def book_today(self) -> None:
        """A courier comes for the originals today."""
        if self.case.pickup_way is Way.ELECTRONIC:
            return
        windows = ((10, 12), (14, 17), (11, 12))
        fails = self.plan.variation is Variation.FAILED_ATTEMPT
        opens, closes = (9, 10) if fails else windows[self.case.id % len(windows)]
        self.at = min(self.at, utc(TODAY, time(8, 20)))
        self._book_pickup(TODAY, opens, closes)

    def _book_pickup(self, on: date, opens: int, closes: int) -> Waybill:
        booked = BookPickup(case=self.case_no, on=on, opens_s=opens * HOUR_S, closes_s=closes * HOUR_S)
        return Waybill(self.act(booked, by=self.requester).waybill)

    def bring_papers(self) -> None:
        """The originals came in on an earlier day, without a run of today's."""
        if self.case.pickup_way is Way.ELECTRONIC:
            return
        on = max(
            self.at.astimezone(db.SHANGHAI).date(),
            self.calendar.add_working_days(TODAY, -max(1, self.plan.began_wd - 1)),
        )
        waybill = self._collect(self.calendar.first_workday_from(on))
        if self.plan.variation is not Variation.WITH_COURIER:
            self.later(minutes=80)
            self.act(ScanParcel(waybill=waybill, to=Holder.CENTRE, scan_id=f"in:{waybill}"), by=self.agent)

    def _collect(self, on: date) -> Waybill:
        """A courier comes on an earlier day: that day's run is there as it was driven, and nobody planned it."""
        self.at = max(self.at, utc(on, time(8, 30)))
        waybill = self._book_pickup(on, 9, 12)
        parcel = self.session.scalars(select(Parcel).where(Parcel.waybill == waybill)).one()
        courier = self.context.fake.random.choice(self.context.couriers)
        stop = self.session.get_one(CourierStop, parcel.stop_id)
        put_on_run(self.context, stop, courier)
        window = {"opens_s": 9 * HOUR_S, "closes_s": 11 * HOUR_S}
        announce(self.session, stop, courier_name=courier.name, **window, by=SYSTEM, at=self.at)
        self.at = max(self.at, utc(on, time(9, 50)))
        report = ReportStop(
            stop=StopId(stop.id), event_id=uuid.UUID(int=self.case.id), act=StopAct.COLLECTED, code=parcel.code,
            inspected=True, seal_no=f"S{parcel.id:07d}",
        )  # fmt: skip
        self.act(report, by=Actor(Role.COURIER, name=courier.name, courier_id=courier.id))
        return waybill

    def withdraw(self) -> None:
        self.later()
        self.act(WithdrawCase(case=self.case_no, reason="投资计划调整"), by=self.requester)

    def submit(self) -> None:
        """What may be filed now; the rest of the case follows once that is granted."""
        self.later(minutes=90)
        waits = open_prerequisites(self.session, self.project, at=self.at)
        receipts = {
            ReviewId(review.id): f"SL{review.id:06d}"
            for review in self._reviews()
            if review.filed_at is None and not waits.get(review.matter.code, NOTHING_FIRST).to_file
        }
        self.act(SubmitCase(case=self.case_no, receipts=receipts), by=self.agent)

    def _reviews(self) -> list[Review]:
        return lookups.reviews_of(self.session, self.case)

    def accept(self) -> None:
        """The authorities accept; then one review is paused, extended or supplemented if the plan says so."""
        filed = [review for review in self._reviews() if review.state is ReviewState.SUBMITTED]
        for review in filed:
            if self.plan.variation is Variation.SUPPLEMENT and review is self._reviews()[0]:
                self.later(minutes=30)
                asked = AskSupplement(review=ReviewId(review.id), words="总平面图缺少日照分析，请补正")
                self.act(asked, by=self.agent)
                continue
            self.later(minutes=20)
            notice_no = f"武受〔2026〕{review.id:04d}号"
            self.act(AcceptReview(review=ReviewId(review.id), notice_no=notice_no), by=self.agent)
        if self._reviews()[0] in filed:
            self._apply_review_variation()

    def _apply_review_variation(self) -> None:
        review = next(r for r in self._reviews() if r.state is ReviewState.ACCEPTED)
        if self.plan.variation is Variation.PAUSE:
            self.later(days=1)
            paused = PauseReview(
                review=ReviewId(review.id), kind=PauseKind.EXPERT_REVIEW,
                notice_no=f"武特〔2026〕{review.id:03d}号", until=self.calendar.add_working_days(TODAY, 3),
            )  # fmt: skip
            self.act(paused, by=self.agent)
        elif self.plan.variation is Variation.EXTENDED:
            self.later(days=1)
            longer = ExtendReview(
                review=ReviewId(review.id), working_days=10, words=TOO_MANY_REMARKS,
                notice_no=f"武延〔2026〕{review.id:03d}号",
            )  # fmt: skip
            self.act(longer, by=self.agent)

    def add_intermediary(self) -> None:
        """The enterprise has a survey made by a firm of its own choice."""
        survey = Intermediary(
            project_id=self.project.id, name="岩土工程勘察", firm="（企业自行委托）", promised_wd=10,
            started_on=self.at.astimezone(db.SHANGHAI).date(), fee_payer="企业",
        )  # fmt: skip
        self.session.add(survey)

    def decide(self) -> None:
        """The matters are decided; those that waited for them are filed, accepted and decided in their turn."""
        while True:
            self._decide_wave()
            if all(review.is_decided for review in self._reviews()):
                return
            self.submit()
            self.accept()

    def _decide_wave(self) -> None:
        self.later(days=1)
        for review in self._reviews():
            if review.is_decided or review.filed_at is None:
                continue
            self.later(minutes=10)
            if self.plan.variation is Variation.DENIED and review is self._reviews()[-1]:  # nothing waits for the last
                denied = DenyReview(
                    review=ReviewId(review.id), notice_no=f"武不准〔2026〕{review.id:04d}号",
                    words=DENIED_FOR,
                )  # fmt: skip
                self.act(denied, by=self.agent)
                continue
            notice_no = f"武准〔2026〕{review.id:04d}号"
            self.act(GrantReview(review=ReviewId(review.id), notice_no=notice_no), by=self.agent)

    def book_delivery_today(self) -> None:
        self.later()
        booked = BookDelivery(case=self.case_no, on=TODAY, opens_s=9 * HOUR_S, closes_s=12 * HOUR_S)
        self.act(booked, by=self.requester)

    def deliver(self) -> None:
        is_electronic = self.case.delivery_way is Way.ELECTRONIC
        self.later(minutes=30 if is_electronic else 200)
        who = "" if is_electronic else self.firm.contact
        self.act(RecordDelivered(case=self.case_no, who=who), by=self.agent)

    def evaluate(self) -> None:
        given = [GradeGiven(ReviewId(review.id), Grade.VERY_SATISFIED) for review in self._reviews()]
        if self.plan.variation is Variation.BAD_GRADE:
            given[0] = replace(given[0], grade=Grade.DISSATISFIED, words=COMPLAINED)
        self.later(minutes=120)
        self.act(EvaluateCase(case=self.case_no, grades=tuple(given)), by=self.requester)
