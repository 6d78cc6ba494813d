"""What the enterprise sees of its projects: the list, one project, the letters and the contact card."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from agents.contact_card import ContactCard, contact_card
from agents.leave import acting_agent
from agents.network import Division, ServiceCentre, centre_of
from agents.roster import Agent
from dispatch.cases.access_control import project_for, visible_cases, visible_projects
from dispatch.cases.case import OUTCOME_LABEL, Case, Material, MaterialState, Way
from dispatch.cases.project import (
    FAMILY_LABEL,
    PROJECT_LABEL,
    Contact,
    Delegation,
    Enterprise,
    Intermediary,
    Power,
    Project,
    ProjectMember,
    TeamRole,
)
from dispatch.cases.review import Review
from dispatch.cases.stages import ENDS, LABEL, Stage
from dispatch.catalogue.catalog import MaterialMode, calendar_of, hours_in_words
from dispatch.core.actor import Actor
from dispatch.core.clock import AMBER_WD, Calendar, CalendarMissing, Lamp, in_shanghai
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.custody import Leg, Parcel, ParcelState


class Turn(StrEnum):
    """What waits for the enterprise itself; NOTHING when somebody else has to act."""

    NOTHING = ""
    SIGN_LETTER = "sign_letter"
    GIVE_PAPERS = "give_papers"
    CORRECT = "correct"
    BOOK_PICKUP = "book_pickup"
    BRING_PAPERS = "bring_papers"
    BOOK_DELIVERY = "book_delivery"
    FETCH_RESULTS = "fetch_results"
    RATE = "rate"


TURN_LABEL = {
    Turn.NOTHING: "",
    Turn.SIGN_LETTER: "请签署委托书",
    Turn.GIVE_PAPERS: "请上传材料",
    Turn.CORRECT: "请补正材料",
    Turn.BOOK_PICKUP: "请预约上门揽收",
    Turn.BRING_PAPERS: "请把原件送到窗口",
    Turn.BOOK_DELIVERY: "请预约结果投递",
    Turn.FETCH_RESULTS: "请到窗口领取结果",
    Turn.RATE: "请评价",
}


def turn_of(
    stage: Stage, *, pickup: Way, delivery: Way, wanted: int, has_letter: bool, pickups: int, deliveries: int
) -> Turn:
    """Whose move it is. ``wanted``: copies not given yet; ``pickups``, ``deliveries``: legs that are booked."""
    match stage:
        case Stage.REQUESTED | Stage.ASSIGNED:
            return Turn.SIGN_LETTER if not has_letter else Turn.GIVE_PAPERS if wanted else Turn.NOTHING
        case Stage.CORRECTION:
            return Turn.CORRECT
        case Stage.PRESCREENED if not has_letter:
            return Turn.SIGN_LETTER
        case Stage.PRESCREENED if not pickups and pickup is not Way.ELECTRONIC:
            return Turn.BOOK_PICKUP if pickup is Way.COURIER else Turn.BRING_PAPERS
        case Stage.DECIDED if not deliveries and delivery is not Way.ELECTRONIC:
            return Turn.BOOK_DELIVERY if delivery is Way.COURIER else Turn.FETCH_RESULTS
        case Stage.DELIVERED:
            return Turn.RATE
    return Turn.NOTHING


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case on a list: where it is, what it waits for, how its committed day stands."""

    case_no: str
    stage: Stage
    label: str
    turn: Turn
    created_at: datetime
    stage_at: datetime
    matters: int
    committed_on: date | None
    lamp: Lamp | None
    days_left: int | None
    has_ended: bool

    @property
    def turn_label(self) -> str:
        return TURN_LABEL[self.turn]


@dataclass(frozen=True, slots=True)
class EnterpriseProjectLine:
    """A project on the list, with its cases."""

    project_no: str
    name: str
    family: str
    place: str
    state: str
    agent: str | None
    created_at: datetime
    cases: tuple[CaseRow, ...]

    @property
    def waits_for_us(self) -> int:
        return sum(case.turn is not Turn.NOTHING for case in self.cases)


def projects(session: Session, viewer: Actor, *, at: datetime) -> list[EnterpriseProjectLine]:
    """The viewer's projects, what waits for the enterprise first, then the newest."""
    found = session.execute(
        select(
            Project.id, Project.project_no, Project.name, Project.family, Project.state, Project.created_at,
            Division.name.label("place"), Agent.name.label("agent"),
        )
        .join(Division, Division.id == Project.division_id)
        .outerjoin(
            ProjectMember,
            and_(
                ProjectMember.project_id == Project.id,
                ProjectMember.role == TeamRole.LEAD,
                ProjectMember.until.is_(None),
            ),
        )
        .outerjoin(Agent, Agent.id == ProjectMember.agent_id)
        .where(visible_projects(viewer))
        .order_by(Project.id.desc())
    ).all()  # fmt: skip
    cases = case_rows(session, viewer, [row.id for row in found], at=at)
    rows = [
        EnterpriseProjectLine(
            row.project_no, row.name, FAMILY_LABEL[row.family], row.place, PROJECT_LABEL[row.state], row.agent,
            row.created_at, tuple(cases.get(row.id, ())),
        )
        for row in found
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.waits_for_us == 0)


def case_rows(session: Session, viewer: Actor, project_ids: Iterable[int], *, at: datetime) -> dict[int, list[CaseRow]]:
    """The cases of these projects, open ones first."""
    ids, today, calendar = list(project_ids), in_shanghai(at).date(), calendar_of(session)
    wanted = _count(Material.id).where(
        Material.case_id == Case.id,
        Material.state == MaterialState.WANTED,
        Material.mode.not_in((MaterialMode.ORIGINAL_RETURNED, MaterialMode.ORIGINAL_KEPT)),
    )
    live = and_(Parcel.case_id == Case.id, Parcel.state != ParcelState.CANCELLED)
    letters = _count(Delegation.id).where(
        Delegation.project_id == Case.project_id,
        Delegation.revoked_at.is_(None),
        Delegation.valid_from <= today,
        Delegation.valid_to >= today,
    )
    query = (
        select(
            Case.project_id, Case.case_no, Case.stage, Case.created_at, Case.stage_at, Case.committed_due_on,
            Case.outcome, Case.pickup_way, Case.delivery_way,
            _count(Review.id).where(Review.case_id == Case.id).scalar_subquery().label("matters"),
            wanted.scalar_subquery().label("wanted"),
            letters.scalar_subquery().label("letters"),
            _count(Parcel.id).where(live, Parcel.leg != Leg.DELIVERY).scalar_subquery().label("pickups"),
            _count(Parcel.id).where(live, Parcel.leg == Leg.DELIVERY).scalar_subquery().label("deliveries"),
        )
        .where(Case.project_id.in_(ids), visible_cases(viewer))
        .order_by(Case.stage.in_(ENDS), Case.id.desc())
    )  # fmt: skip
    found: dict[int, list[CaseRow]] = {}
    for row in session.execute(query):
        turn = turn_of(
            row.stage, pickup=row.pickup_way, delivery=row.delivery_way, wanted=row.wanted,
            has_letter=row.letters > 0, pickups=row.pickups, deliveries=row.deliveries,
        )  # fmt: skip
        due = row.committed_due_on if row.stage in {Stage.SUBMITTED, Stage.UNDER_REVIEW} else None
        left = days_left(calendar, today, due)
        label = LABEL[row.stage]
        if row.outcome is not None and row.stage in {Stage.DECIDED, Stage.DELIVERY_PLANNED, Stage.DELIVERED}:
            label = f"{label}({OUTCOME_LABEL[row.outcome]})"
        found.setdefault(row.project_id, []).append(
            CaseRow(
                row.case_no, row.stage, label, turn, row.created_at, row.stage_at, row.matters, due,
                None if left is None else lamp_for(left), left, row.stage in ENDS,
            )
        )  # fmt: skip
    return found


def _count(column: InstrumentedAttribute[int]) -> Select[int]:
    return select(func.count(column)).correlate(Case)


def days_left(calendar: Calendar, today: date, due: date | None) -> int | None:
    """Working days from today to ``due``; None without a due day, or without a calendar for it."""
    if due is None:
        return None
    try:
        return calendar.working_days_between(today, due)
    except CalendarMissing:
        return None


def lamp_for(left: int) -> Lamp:
    return Lamp.RED if left < 0 else Lamp.AMBER if left <= AMBER_WD else Lamp.GREEN


# ---------------------------------------------------------------- who acts


@dataclass(frozen=True, slots=True)
class Helper:
    """Who acts for a project: the agent's card, and who stands in today."""

    card: ContactCard
    stand_in_today: str | None
    centre: str


def helper_of(session: Session, project: Project, *, at: datetime) -> Helper | None:
    """The contact card (联系卡) of the project's agent; None while nobody is assigned."""
    if (lead := project.lead) is None:
        return None
    agent, today = session.get_one(Agent, lead.agent_id), in_shanghai(at).date()
    division = session.get_one(Division, project.home_division_id)
    centre = centre_of(session, division)
    hours = hours_in_words(calendar_of(session), today, centre.centre_no if centre else None)
    acting = acting_agent(session, agent, today)
    return Helper(
        card=contact_card(session, agent, today, hours=hours),
        stand_in_today=None if acting.id == agent.id else acting.name,
        centre=centre.name if centre else f"{division.name}政务服务中心",
    )


# ---------------------------------------------------------------- one project

POWER_LABEL = {Power.SUBMIT: "提交申请材料", Power.CORRECT: "补正材料", Power.RECEIVE: "代为领取结果"}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person whom the letter names."""

    id: int
    name: str
    phone: str
    may_hand_over: bool
    may_receive: bool


@dataclass(frozen=True, slots=True)
class DelegationLetterView:
    """A delegation letter as the enterprise reads it."""

    id: int
    entruster: str
    credit_code: str | None
    legal_representative: str
    centre: str
    powers: tuple[str, ...]
    may_pass_on: bool
    valid_from: date
    valid_to: date
    signed_at: datetime
    revoked_at: datetime | None
    revocation_reason: str | None
    in_force: bool
    people: tuple[PersonRow, ...]


@dataclass(frozen=True, slots=True)
class EnterpriseProjectPage:
    """One project: its facts, who acts, its cases, the letters, the firms that work for it."""

    project_no: str
    project_code: str | None
    name: str
    family: str
    place: str
    address: str
    investment_wan: int | None
    state: str
    created_at: datetime
    helper: Helper | None
    cases: tuple[CaseRow, ...]
    letters: tuple[DelegationLetterView, ...]
    firms: tuple[Intermediary, ...]

    @property
    def letter(self) -> DelegationLetterView | None:
        """The letter in force."""
        return next((letter for letter in self.letters if letter.in_force), None)


def project_page(
    session: Session, viewer: Actor, project_no: str, *, at: datetime
) -> tuple[EnterpriseProjectPage, Project]:
    """The project and what its page shows. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    page = EnterpriseProjectPage(
        project_no=project.project_no,
        project_code=project.project_code,
        name=project.name,
        family=FAMILY_LABEL[project.family],
        place=place_in_words(session, project.division_id),
        address=(project.site_address or "").removeprefix(session.get_one(Division, project.division_id).name),
        investment_wan=project.investment_wan,
        state=PROJECT_LABEL[project.state],
        created_at=project.created_at,
        helper=helper_of(session, project, at=at),
        cases=tuple(case_rows(session, viewer, [project.id], at=at).get(project.id, ())),
        letters=letters_of(session, project, in_shanghai(at).date()),
        firms=tuple(project.intermediaries),
    )
    return page, project


def place_in_words(session: Session, division_id: int) -> str:
    """常州市武进区湖塘镇: from the city down."""
    division = session.get_one(Division, division_id)
    names = session.execute(
        select(Division.name).where(Division.code.in_(division.path.split(".")[1:])).order_by(Division.level)
    ).scalars()
    return "".join(names) or division.name


def letters_of(session: Session, project: Project, today: date) -> tuple[DelegationLetterView, ...]:
    """Every letter of the project, the newest first."""
    ids = [letter.centre_id for letter in project.delegations if letter.centre_id is not None]
    centres: dict[int, str] = {
        row.id: row.name
        for row in session.execute(select(ServiceCentre.id, ServiceCentre.name).where(ServiceCentre.id.in_(ids)))
    }
    return tuple(
        DelegationLetterView(
            id=letter.id,
            entruster=letter.entruster,
            credit_code=letter.credit_code,
            legal_representative=letter.legal_representative,
            centre=LocalizedText(
                "%(centre)s（代办中心）", centre=centres.get(letter.centre_id or 0, LocalizedText("政务服务中心"))
            ),
            powers=tuple(POWER_LABEL[power] for power in Power if power.value in letter.powers),
            may_pass_on=letter.may_pass_on,
            valid_from=letter.valid_from,
            valid_to=letter.valid_to,
            signed_at=letter.signed_at,
            revoked_at=letter.revoked_at,
            revocation_reason=letter.revocation_reason,
            in_force=letter.is_in_force(today),
            people=tuple(
                PersonRow(person.id, person.name, person.phone, person.may_hand_over, person.may_receive)
                for person in letter.recipients
            ),
        )
        for letter in sorted(project.delegations, key=lambda one: -one.id)
    )


def own_enterprise(session: Session, viewer: Actor) -> Enterprise:
    """The viewer's enterprise."""
    assert viewer.enterprise_id is not None
    return session.get_one(Enterprise, viewer.enterprise_id)


def contacts(session: Session, viewer: Actor) -> list[Contact]:
    """The persons of the viewer's enterprise who are told of a case."""
    query = select(Contact).where(Contact.enterprise_id == viewer.enterprise_id).order_by(Contact.id)
    return list(session.scalars(query))


def home_division(session: Session, viewer: Actor) -> int | None:
    """The county in which the enterprise's latest project is at home, else its own; None when neither is known."""
    latest = select(Project.home_division_id).where(visible_projects(viewer)).order_by(Project.id.desc()).limit(1)
    found = session.scalar(latest)
    return found if found is not None else own_enterprise(session, viewer).division_id
