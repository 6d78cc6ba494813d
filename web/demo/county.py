"""The demo county: 武进区 at ten on a Tuesday, with projects at every stage, made through the path's own steps."""

from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

import db
<<<<<<< HEAD
from agents.network import Division, centre_of, children, division_with
from agents.roster import Agent, AgentSkill, Category, Duty, DutyKind, Team
from dispatch.acts import (
    acceptance,
    answering,
    closing,
    courier_legs,
    deciding,
    early_ends,
    filing,
    pausing,
    prescreening,
    project_intake,
    route_planning,
    stop_report,
)
from dispatch.assignment import apply_batch
from dispatch.assignment.assign_one import place
from dispatch.cases import lookups
from dispatch.cases.case import Case, MaterialState, Way
from dispatch.cases.evaluation import Grade, TicketKind
from dispatch.cases.notify import Desk, DeskKind
from dispatch.cases.project import Contact, Enterprise, Intermediary, Power, Project
from dispatch.cases.review import ReviewPause, ReviewState
from dispatch.catalogue.area_evaluation import AreaEvaluation
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import AreaKind, Family, Matter
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.shanghai_time import utc
from dispatch.core.special_procedure import PauseKind
from notifications.message import Message
from notifications.message import State as MessageState
from routing.day import plan_jobs, planning
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopKind, StopState
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.stops import Address, StopNeeds, request_stop
from routing.travel.geodesic import Geodesic
from web.demo.people import Cast, Firm, pinyin_of, pinyin_of_person
from web.wiring.accounts import HASHER, Account

COUNTY = "320412"
TODAY = date(2026, 11, 24)
NOW = utc(TODAY, time(10))
PASSWORD = "daiban-demo-2026"  # noqa: S105 - printed at start, for a demo database only
AGENTS, COURIERS, STOPS = 60, 8, 300
CLEAR_EARLY = 8 * 3600 + 1800
PLAN_ITERATIONS = 40_000
STRAIGHT = Geodesic()


@dataclass(frozen=True, slots=True)
class Login:
    """A demo account: what is typed, and what it shows."""

    login: str
    role: Role
    what: str


LOGINS = (
    Login("qiye", Role.ENTERPRISE, "企业：我的办件"),
    Login("daiban", Role.AGENT, "代办员"),
    Login("zuzhang", Role.LEAD, "代办组长：晨会一页、派件、排线"),
    Login("kuaidi", Role.COURIER, "邮政揽投员：今日路线（手机）"),
    Login("jiandu", Role.SUPERVISOR, "监督员"),
    Login("guanli", Role.OPERATOR, "系统管理员"),
)

INDUSTRIAL = (
    ("IND-101", "IND-107", "IND-108"),
    ("IND-104", "IND-105"),
    ("IND-104", "IND-105", "IND-201", "IND-203"),
    ("IND-301", "IND-302", "IND-305"),
    ("IND-308", "IND-306"),
    ("IND-402", "IND-403", "IND-405"),
    ("IND-406", "IND-408"),
)
OPENING = ("BIZ-02", "BIZ-03", "BIZ-04", "BIZ-05")
REGISTRATION = ("REG-01", "REG-02", "REG-03", "REG-04", "REG-05", "REG-06")


@dataclass(frozen=True, slots=True)
class CasePlan:
    """How far one project has come by ten o'clock, and how many working days ago it began."""

    goal: str
    began_wd: int
    matters: tuple[str, ...]
    family: Family = Family.INDUSTRIAL_PERMIT
    twist: str = ""


def scenes() -> list[CasePlan]:
    """The forty-odd projects of the day, at every stage of the path."""
    ind = INDUSTRIAL
    biz, reg = Family.BUSINESS_OPENING, Family.PROPERTY_REGISTRATION
    return [
        CasePlan("requested", 0, ind[0]),
        CasePlan("requested", 0, OPENING, biz),
        CasePlan("requested", 1, ind[3], twist="nobody"),
        CasePlan("assigned", 0, ind[1]),
        CasePlan("assigned", 1, ind[2]),
        CasePlan("assigned", 3, ind[4], twist="late answer"),
        CasePlan("assigned", 0, REGISTRATION, reg),
        CasePlan("correction", 2, ind[1]),
        CasePlan("correction", 1, ind[5]),
        CasePlan("prescreened", 2, ind[1]),
        CasePlan("prescreened", 1, REGISTRATION, reg),
        CasePlan("prescreened", 3, ind[2]),
        CasePlan("booked today", 2, ind[1]),
        CasePlan("booked today", 2, ind[2]),
        CasePlan("booked today", 3, REGISTRATION, reg),
        CasePlan("booked today", 2, ind[6], twist="failed attempt"),
        CasePlan("booked today", 1, ind[5]),
        CasePlan("collected", 4, ind[1]),
        CasePlan("collected", 3, REGISTRATION, reg),
        CasePlan("collected", 5, ind[2]),
        CasePlan("submitted", 5, ind[1]),
        CasePlan("submitted", 6, ind[2], twist="silence"),
        CasePlan("submitted", 4, OPENING, biz),
        CasePlan("accepted", 6, ind[1]),
        CasePlan("accepted", 6, ind[2]),
        CasePlan("accepted", 12, ind[1], twist="overdue"),
        CasePlan("accepted", 9, ind[3], twist="pause"),
        CasePlan("accepted", 14, ind[2], twist="extended"),
        CasePlan("accepted", 5, ind[4]),
        CasePlan("accepted", 10, ind[5], twist="supplement"),
        CasePlan("accepted", 7, ind[6], twist="deferred"),
        CasePlan("accepted", 5, REGISTRATION, reg),
        CasePlan("decided", 12, ind[1]),
        CasePlan("decided", 7, REGISTRATION, reg),
        CasePlan("decided", 9, ind[0], twist="denied"),
        CasePlan("delivery today", 13, ind[1]),
        CasePlan("delivery today", 12, ind[2]),
        CasePlan("delivery today", 8, REGISTRATION, reg),
        CasePlan("delivered", 15, ind[1]),
        CasePlan("delivered", 9, OPENING, biz),
        CasePlan("evaluated", 18, ind[1]),
        CasePlan("evaluated", 17, REGISTRATION, reg),
        CasePlan("evaluated", 16, ind[2], twist="bad grade"),
        CasePlan("evaluated", 11, OPENING, biz),
        CasePlan("withdrawn", 6, ind[1]),
        CasePlan("refused", 4, ind[0]),
    ]


@dataclass
class DemoContext:
    """What the story needs at hand: the rows made so far."""

    session: Session
    cast: Cast
    county: Division
    towns: list[Division]
    agents: list[Agent] = field(default_factory=list)
    couriers: list[Courier] = field(default_factory=list)
    first_enterprise: Enterprise | None = None
=======
from agents.network import children, division_with
from agents.roster import Agent
from dispatch.acts import answering
from dispatch.cases.case import Case
from dispatch.cases.evaluation import TicketKind
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.catalog import AreaEvaluation, AreaKind
from dispatch.core.actor import Actor, Role
from notifications.message import Message
from notifications.message import State as MessageState
from web.demo.case_plans import CASE_PLANS
from web.demo.case_steps import carry_out
from web.demo.context import COUNTY, NOW, DemoContext
from web.demo.courier_day import add_other_stops, plan_morning
from web.demo.fake_data import FakeData
from web.demo.staff import add_accounts, add_staff
>>>>>>> cb0e9c3a0f60f71f80264bd3422d74a39b714db4


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


<<<<<<< HEAD
def _accounts(stage: DemoContext) -> None:
    """One shared hash: argon2 is slow on purpose, and this password is printed at start."""
    session, shared = stage.session, HASHER.hash(PASSWORD)
    enterprise = stage.first_enterprise
    assert enterprise is not None
    contact = session.scalars(select(Contact).where(Contact.enterprise_id == enterprise.id)).first()
    assert contact is not None
    busy = max(stage.agents, key=lambda agent: (agent.held, -agent.id))
    rows: dict[str, dict[str, Any]] = {
        "qiye": {"name": contact.name, "enterprise_id": enterprise.id, "phone": contact.phone},
        "daiban": {"name": busy.name, "agent_id": busy.id, "phone": busy.phone},
        "zuzhang": {"name": stage.cast.person(), "division_id": stage.county.id},
        "kuaidi": {
            "name": stage.couriers[0].name,
            "courier_id": stage.couriers[0].id,
            "phone": stage.couriers[0].phone,
        },
        "jiandu": {"name": stage.cast.person(), "division_id": stage.county.id},
        "guanli": {"name": "系统管理员"},
    }
    for login in LOGINS:
        given = dict(rows[login.login])
        phone = given.pop("phone", None) or stage.cast.phone()
        account = Account(role=login.role, login=login.login, password_hash=shared, **given)
        account.set_phone(str(phone))
        session.add(account)
    for number, courier in enumerate(stage.couriers[1:], start=2):
        account = Account(
            role=Role.COURIER, login=f"kuaidi{number}", password_hash=shared, name=courier.name, courier_id=courier.id
        )
        account.set_phone(courier.phone)
        session.add(account)
    session.flush()


# ---------------------------------------------------------------- one project's story


class CaseScript:
    """One project walking the path, with a clock of its own that moves through working hours."""

    def __init__(self, stage: DemoContext, scene: CasePlan) -> None:
        self.stage, self.scene, self.session = stage, scene, stage.session
        self.calendar = calendar_of(stage.session)
        start = TODAY if scene.began_wd == 0 else self.calendar.add_working_days(TODAY, -scene.began_wd)
        self.at = utc(start, time(8 if scene.began_wd == 0 else 9, stage.cast.random.randrange(5, 55)))
        self.firm: Firm = stage.cast.firm()
        self.town = stage.cast.random.choice(stage.towns)

    def later(self, *, days: int = 0, minutes: int = 47) -> datetime:
        """Move on, but never beyond a quarter to ten today; returns the new moment."""
        if days:
            local = self.at.astimezone(db.SHANGHAI)
            self.at = utc(self.calendar.add_working_days(local.date(), days), time(9, 20))
        self.at = min(self.at + timedelta(minutes=minutes), NOW - timedelta(minutes=15))
        return self.at

    @property
    def agent(self) -> Actor:
        member = self.project.lead
        assert member is not None
        row = self.session.get_one(Agent, member.agent_id)
        return Actor(Role.AGENT, name=row.name, agent_id=row.id)

    def request(self) -> None:
        session, cast, firm = self.session, self.stage.cast, self.firm
        enterprise = Enterprise(
            name=firm.name, pinyin=pinyin_of(firm.name), credit_code=firm.credit_code, division_id=self.town.id,
            created_at=self.at,
        )  # fmt: skip
        session.add(enterprise)
        session.flush()
        contact = Contact(
            enterprise_id=enterprise.id, name=firm.contact, phone=firm.phone, phone_hash=db.keyed_hash(firm.phone),
            created_at=self.at,
        )  # fmt: skip
        session.add(contact)
        session.flush()
        self.enterprise, self.contact = enterprise, contact
        self.viewer = Actor(Role.ENTERPRISE, name=contact.name, enterprise_id=enterprise.id)
        self.lon, self.lat = cast.near(self.town.lon, self.town.lat)
        self.address = cast.address(self.town.name)
        title = {Family.BUSINESS_OPENING: f"{firm.name}设立", Family.PROPERTY_REGISTRATION: f"{firm.name}不动产登记"}
        intake = project_intake.ProjectIntake(
            name=title.get(self.scene.family, firm.project),
            family=self.scene.family,
            site=project_intake.ProjectSite(self.town.code, self.lon, self.lat, self.address),
            matters=self._matters(),
            investment_wan=cast.random.choice((800, 2000, 5000, 12000, 30000))
            if not title.get(self.scene.family)
            else None,
            project_code=None
            if title.get(self.scene.family)
            else f"26{COUNTY}89{cast.random.randrange(10**13, 10**14)}",
        )
        self.case = project_intake.request(
            session, enterprise=enterprise, contact=contact, intake=intake, by=self.viewer, at=self.at
        )
        self.project = session.get_one(Project, self.case.project_id)

    def _matters(self) -> tuple[str, ...]:
        known = set(self.session.scalars(select(Matter.code).where(Matter.code.in_(self.scene.matters))))
        return tuple(code for code in self.scene.matters if code in known)

    def assign(self) -> bool:
        placed = place(self.session, self.project, by=SYSTEM, at=self.later(minutes=25))
        apply_batch.tell_placed(self.session, at=self.at, project_id=self.project.id)
        return placed is not None

    def delegate(self) -> None:
        second = prescreening.AuthorisedPerson(self.stage.cast.person(), self.stage.cast.phone())
        prescreening.delegate(
            self.session, self.project, legal_representative=self.firm.legal, powers=list(Power),
            people=[prescreening.AuthorisedPerson(self.firm.contact, self.firm.phone), second],
            valid_to=date(2027, 12, 31), by=self.viewer, at=self.later(minutes=10),
        )  # fmt: skip
        for material in self.case.materials:
            if material.state is MaterialState.WANTED and not material.on_paper:
                prescreening.give_material(
                    self.session, self.case, material, sha256=f"{material.id:064x}", media_type="application/pdf",
                    filename=f"{material.name}.pdf", by=self.viewer, at=self.at,
                )  # fmt: skip

    def prescreen(self) -> None:
        deferred = {}
        if self.scene.twist == "deferred":
            one = next((m for m in self.case.materials if m.deferrable), None)
            if one is not None:
                deferred = {one.id: TODAY + timedelta(days=1)}
        prescreening.prescreen(self.session, self.case, by=self.agent, at=self.later(days=1), deferred=deferred)

    def correct(self) -> None:
        chosen = [m for m in self.case.materials if m.state is MaterialState.GIVEN][:2] or self.case.materials[:1]
        words = ("加盖的公章与营业执照名称不一致", "缺少附件2，请补充法定代表人签字页")
        prescreening.prescreen(
            self.session, self.case, by=self.agent, at=self.later(minutes=60),
            defects={m.id: words[n % 2] for n, m in enumerate(chosen)},
        )  # fmt: skip

    def appointment(self, on: date, opens: int, closes: int) -> courier_legs.Appointment:
        place = Address(self.lon, self.lat, self.address, self.firm.contact, self.firm.phone, self.firm.name)
        return courier_legs.Appointment(on=on, opens_s=opens * 3600, closes_s=closes * 3600, address=place)

    def papers_in(self) -> None:
        """The originals came in on an earlier day, without a run of today's."""
        if self.case.pickup_way is Way.ELECTRONIC:
            return
        on = max(
            self.at.astimezone(db.SHANGHAI).date(),
            self.calendar.add_working_days(TODAY, -max(1, self.scene.began_wd - 1)),
        )
        on = self.calendar.first_workday_from(on)
        if utc(on, time(10, 30)) >= NOW:
            courier_legs.hand_in(
                self.session, self.case, by=self.agent, at=self.later(), scan_id=str(uuid.UUID(int=self.case.id))
            )
            return
        self.at = max(self.at, utc(on, time(8, 30)))
        parcel = courier_legs.book_pickup(
            self.session, self.case, appointment=self.appointment(on, 9, 12), by=self.viewer, at=self.at
        )
        courier = self.stage.cast.random.choice(self.stage.couriers)
        stop = self.session.get_one(CourierStop, parcel.stop_id)
        stop.move_to(StopState.PLANNED)
        courier_legs.announce(
            self.session, stop, courier_name=courier.name, opens_s=9 * 3600, closes_s=11 * 3600, by=SYSTEM, at=self.at
        )
        self.at = max(self.at, utc(on, time(9, 50)))
        driver = Actor(Role.COURIER, name=courier.name, courier_id=courier.id)
        said = stop_report.StopReport(
            event_id=uuid.UUID(int=self.case.id), act=StopAct.COLLECTED, code=parcel.code, inspected=True,
            seal_no=f"S{parcel.id:07d}",
        )  # fmt: skip
        stop_report.report_stop(self.session, stop, said, by=driver, at=self.at)
        if self.scene.goal == "collected" and self.scene.began_wd == 3:
            return
        self.later(minutes=80)
        assert parcel.centre_id is not None
        courier_legs.receive(
            self.session, self.case, parcel, centre_id=parcel.centre_id, scan_id=f"in:{parcel.waybill}", by=self.agent,
            at=self.at,
        )  # fmt: skip

    def submit(self) -> None:
        receipts = {review.id: f"SL{review.id:06d}" for review in lookups.reviews_of(self.session, self.case)}
        filing.submit(self.session, self.case, receipts=receipts, by=self.agent, at=self.later(minutes=90))

    def accept(self) -> None:
        for n, review in enumerate(lookups.reviews_of(self.session, self.case)):
            if self.scene.twist == "supplement" and n == 0:
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

    def twist_review(self) -> None:
        running = [r for r in lookups.reviews_of(self.session, self.case) if r.state is ReviewState.ACCEPTED]
        if not running:
            return
        review = running[0]
        on = self.at.astimezone(db.SHANGHAI).date()
        if self.scene.twist == "pause":
            pause = ReviewPause(
                kind=PauseKind.EXPERT_REVIEW, notice_no=f"武特〔2026〕{review.id:03d}号", starts_on=on,
                expected_end_on=self.calendar.add_working_days(TODAY, 3), maximum_wd=20,
            )  # fmt: skip
            pausing.pause(self.session, review, pause, by=self.agent, at=self.later(days=1))
        elif self.scene.twist == "extended":
            pausing.extend(
                self.session, review, working_days=10, approved_on=on, reason="技术审查意见较多", by=self.agent,
                at=self.later(days=1),
            )  # fmt: skip

    def decide(self) -> None:
        self.later(days=1)
        for n, review in enumerate(lookups.reviews_of(self.session, self.case)):
            denied = self.scene.twist == "denied" and n == 0
            deciding.decide(
                self.session, review, outcome=ReviewState.DENIED if denied else ReviewState.GRANTED,
                decision_no=f"武{'不准' if denied else '准'}〔2026〕{review.id:04d}号", by=self.agent,
                at=self.later(minutes=10),
                reason="选址不符合国土空间规划；可在60日内申请复议或6个月内提起诉讼" if denied else "",
            )  # fmt: skip

    def deliver(self) -> None:
        if self.case.delivery_way is Way.ELECTRONIC:
            courier_legs.deliver_electronically(self.session, self.case, by=self.agent, at=self.later(minutes=30))
        else:
            courier_legs.fetched(
                self.session, self.case, who=self.firm.contact, by=self.agent, at=self.later(minutes=200)
            )

    def evaluate(self) -> None:
        reviews = lookups.reviews_of(self.session, self.case)
        grades = {r.id: (Grade.VERY_SATISFIED, "") for r in reviews}
        if self.scene.twist == "bad grade":
            grades[reviews[0].id] = (Grade.DISSATISFIED, "同一材料跑了两次，解释不清楚")
        closing.evaluate(self.session, self.case, grades=grades, by=self.viewer, at=self.later(minutes=120))


def _play(stage: DemoContext, scene: CasePlan) -> None:
    """Walk one project as far as its scene says."""
    story = CaseScript(stage, scene)
    story.request()
    if stage.first_enterprise is None and scene.goal == "booked today":
        stage.first_enterprise = story.enterprise
    if scene.goal == "requested" or not _acts(story, scene):
        if scene.twist == "nobody":
            story.project.language = "ja"
            place(stage.session, story.project, by=SYSTEM, at=story.later())
        return
    if scene.goal == "refused":
        early_ends.refuse(
            stage.session, story.case, reason="不属于代办范围，已转窗口受理", by=story.agent, at=story.later()
        )
        return
    if scene.goal == "assigned":
        return
    story.delegate()
    if scene.goal == "correction":
        story.correct()
        return
    story.prescreen()
    if scene.goal == "prescreened":
        return
    if scene.goal == "booked today":
        _book_today(story)
        return
    story.papers_in()
    if scene.goal == "withdrawn":
        early_ends.withdraw(stage.session, story.case, reason="投资计划调整", by=story.viewer, at=story.later())
        return
    if scene.goal == "collected":
        return
    story.submit()
    if scene.goal == "submitted":
        return
    story.accept()
    story.twist_review()
    if scene.goal == "accepted":
        stage.session.add(
            Intermediary(
                project_id=story.project.id, name="岩土工程勘察", firm="（企业自行委托）", promised_wd=10,
                started_on=story.at.astimezone(db.SHANGHAI).date(), fee_payer="企业",
            )
        )  # fmt: skip
        return
    story.decide()
    if scene.goal == "decided":
        return
    if scene.goal == "delivery today":
        courier_legs.book_delivery(
            stage.session, story.case, appointment=story.appointment(TODAY, 9, 12), by=story.viewer, at=story.later()
        )
        return
    story.deliver()
    if scene.goal == "evaluated":
        story.evaluate()


def _acts(story: CaseScript, scene: CasePlan) -> bool:
    return scene.goal != "requested" and story.assign()


def _book_today(story: CaseScript) -> None:
    if story.case.pickup_way is Way.ELECTRONIC:
        return
    windows = ((10, 12), (14, 17), (11, 12))
    window = (9, 10) if story.scene.twist == "failed attempt" else windows[story.case.id % len(windows)]
    story.at = min(story.at, utc(TODAY, time(8, 20)))
    courier_legs.book_pickup(
        story.session, story.case, appointment=story.appointment(TODAY, *window), by=story.viewer, at=story.at
    )


def _tickets(stage: DemoContext) -> None:
    cases = stage.session.scalars(select(Case).where(Case.stage == "under_review").order_by(Case.id).limit(2)).all()
    asked = (
=======
def _open_tickets(context: DemoContext) -> None:
    cases = context.session.scalars(
        select(Case).where(Case.stage == Stage.UNDER_REVIEW).order_by(Case.id).limit(2)
    ).all()
    tickets = (
>>>>>>> cb0e9c3a0f60f71f80264bd3422d74a39b714db4
        (TicketKind.QUESTION, "环评报告表需要几份？电子版可以吗？"),
        (TicketKind.COMPLAINT, "电话一直没人接，希望改进。"),
    )
    for case, (kind, words) in zip(cases, tickets, strict=False):
        viewer = Actor(Role.ENTERPRISE, enterprise_id=case.project.enterprise_id, name=case.contact.name)
        answering.open_ticket(
            context.session, kind=kind, words=words, division_id=case.division_id, by=viewer, case=case,
            at=NOW - timedelta(hours=20), from_12345=kind is TicketKind.COMPLAINT,
        )  # fmt: skip


<<<<<<< HEAD
# ---------------------------------------------------------------- the day's stops and the morning's runs


def _other_stops(stage: DemoContext) -> None:
    """What EMS carries for the other counters today: results and invoices, about three hundred stops in all."""
    cast, session = stage.cast, stage.session
    booked = len(session.scalars(select(CourierStop.id).where(CourierStop.on == TODAY)).all())
    weights = [3.0 if town.name in {"湖塘镇", "高新区", "武进经济开发区"} else 1.0 for town in stage.towns]
    for number in range(STOPS - booked):
        town = cast.random.choices(stage.towns, weights)[0]
        lon, lat = cast.near(town.lon, town.lat, 2600)
        pickup = number % 5 == 0
        morning = number % 9 < 5
        start = cast.random.choice((8, 9, 9, 10)) if morning else cast.random.choice((13, 14, 14, 15))
        length = cast.random.choice((2, 3, 3, 4))
        end = min(start + length, 12 if morning else 18)
        brand = cast.random.choice(cast.brands)
        request_stop(
            session,
            division_id=stage.county.id,
            on=TODAY,
            kind=StopKind.PICKUP if pickup else StopKind.DELIVERY,
            address=Address(lon, lat, cast.address(town.name), cast.person(), cast.phone(), f"常州{brand}有限公司"),
            windows=[(start * 3600, end * 3600)],
            at=NOW - timedelta(hours=18),
            needs=StopNeeds(
                pieces=cast.random.choice((1, 1, 1, 2)),
                grams=cast.random.choice((150, 200, 400, 900)),
                service_s=cast.random.choice((180, 240, 300)),
            ),
        )


def _morning(sessions: sessionmaker[Session], *, seed: int) -> None:
    """The morning's plan, committed before eight, and driven until ten."""
    early = utc(TODAY, time(7, 40))
    with sessions.begin() as session:
        county = division_with(session, COUNTY)
        plan = plan_jobs.queue_plan(
            session, division_id=county.id, on=TODAY, cutoff=Cutoff.AM, limit_s=20, by="代办组长", at=early
        )
        plan.seed, plan_id = seed, plan.id
    state = planning.work_on(sessions, plan_id, travel=STRAIGHT, max_iterations=PLAN_ITERATIONS)
    if state is not PlanState.PREVIEW:
        raise RuntimeError(f"the demo's morning could not be planned: {state}")
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, plan_id)
        plan.requested_at = plan.finished_at = early
        route_planning.commit_plan(session, plan, by=SYSTEM, at=early)
    with sessions.begin() as session:
        _drive_until_ten(session)


def _drive_until_ten(session: Session) -> None:
    """Tick off what the plan says was done by ten; one attempt fails."""
    failed = False
    runs = session.scalars(select(CourierRun).where(CourierRun.on == TODAY).order_by(CourierRun.id)).all()
    for run in runs:
        driver = Actor(Role.COURIER, name=run.courier.name, courier_id=run.courier_id)
        for stop in sorted(run.stops, key=lambda s: s.position or 0):
            done_s = (stop.eta_s or 0) + stop.service_s
            if done_s > 10 * 3600 - 300:
                break
            at = utc(TODAY, time(0)) + timedelta(seconds=done_s)
            papers = route_planning.papers_at(session, stop)
            code = papers[0].code if papers else None
            act = StopAct.DELIVERED if stop.kind is StopKind.DELIVERY else StopAct.COLLECTED
            event_id = uuid.UUID(int=(1 << 64) + stop.id)
            if not failed and done_s > 9 * 3600 and stop.kind is StopKind.PICKUP and papers:
                failed = True
                said = stop_report.StopReport(
                    event_id=event_id, act=StopAct.FAILED, reason=FailReason.PAPERS_NOT_READY, device_at=at
                )
            else:
                said = stop_report.StopReport(
                    event_id=event_id, act=act, device_at=at, code=code, identity_checked=True, inspected=True
                )
            stop_report.report_stop(session, stop, said, by=driver, at=at)


def _say_that_the_past_was_told(session: Session) -> None:
    """The notices of the story's past went out at their time: a demo does not send them all at ten."""
=======
def _mark_old_messages_delivered(session: Session) -> None:
    """What was due before ten went out at its time: a demo does not send it all at ten."""
>>>>>>> cb0e9c3a0f60f71f80264bd3422d74a39b714db4
    session.execute(
        update(Message)
        .where(Message.state == MessageState.QUEUED, Message.created_at < NOW - timedelta(minutes=20))
        .values(
            state=MessageState.DELIVERED, sent_at=Message.created_at, settled_at=Message.created_at, attempts=1,
            gateway="console", segments=1,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
