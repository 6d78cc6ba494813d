"""Demand's projects: the cases in progress and the new ones of one county, drawn and copied into their tables."""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.network import Division
from dispatch.cases.case import Case, CaseEvent, Material, MaterialState, Outcome, Way
from dispatch.cases.due_moments import answer_due
from dispatch.cases.fact_event import FactEvent, FactKind
from dispatch.cases.matter_on_project import MatterOnProject
from dispatch.cases.notify import day_of, query_code
from dispatch.cases.project import Contact, Enterprise, Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.review import Review
from dispatch.cases.review_event import ReviewEvent
from dispatch.cases.review_fold import ReviewStory
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family, MaterialMode, Matter
from dispatch.core.actor import SYSTEM
from dispatch.core.shanghai_time import utc
from dispatch.path.facts import facts_of
from dispatch.views.path_figures import matters_at_intake
from web.demo.case_plans import OPENING, REGISTRATION
from web.demo.context import NOW, TODAY
from web.demo.copying import NextIds, Row, copy_rows
from web.demo.demand_reviews import DECIDED, event_rows, review_row, rules_of, story_of
from web.demo.fake_data import FakeData

NOUNS: tuple[type[db.Base], ...] = (
    Enterprise,
    Contact,
    Project,
    ProjectMember,
    Case,
    CaseEvent,
    Review,
    ReviewEvent,
    Material,
    FactEvent,
)
PERMITS = (("IND-104", "IND-105"), ("IND-107", "IND-108"), ("IND-301", "IND-305"), ("IND-101",))
FAMILIES = (Family.BUSINESS_OPENING, Family.PROPERTY_REGISTRATION, Family.INDUSTRIAL_PERMIT)
NEW_SHARES, RUNNING_SHARES = (0.55, 0.3, 0.15), (0.1, 0.2, 0.7)
RUNNING_STAGES = (
    (Stage.ASSIGNED, 0.08),
    (Stage.PRESCREENED, 0.14),
    (Stage.COLLECTED, 0.08),
    (Stage.SUBMITTED, 0.15),
    (Stage.UNDER_REVIEW, 0.40),
    (Stage.DECIDED, 0.10),
    (Stage.DELIVERED, 0.05),
)


@dataclass(frozen=True, slots=True)
class DrawnProject:
    """What chance decides of a project, and the ids of its rows."""

    number: int
    agent_id: int | None
    family: Family
    matters: tuple[str, ...]
    town: Division
    site: tuple[float, float]
    address: str
    brand: str
    contact_name: str
    phone: str
    investment_wan: int
    began: datetime
    stage: Stage
    due_on: date | None
    enterprise_id: int
    contact_id: int
    project_id: int
    case_id: int


class CountyProjects:
    """The projects of one county: ``running`` ones that agents hold, then ``new`` ones that wait."""

    def __init__(self, session: Session, fake: FakeData, ids: NextIds, county: Division, towns: list[Division]) -> None:
        self.session, self.fake, self.ids, self.county, self.towns = session, fake, ids, county, towns
        self.calendar = calendar_of(session)
        self.matters = {m.code: m for m in session.scalars(select(Matter).where(Matter.retired_on.is_(None)))}
        self.on_projects: dict[tuple[int, Family], dict[str, MatterOnProject]] = {}
        self.rows: dict[type[db.Base], list[Row]] = {noun: [] for noun in NOUNS}

    def copy(self, *, running: int, new: int, held: dict[int, int]) -> None:
        """Draw and write all of them. ``held``: how many of the running ones each agent has."""
        holders = iter([agent_id for agent_id, number in held.items() for _ in range(number)])
        for number in range(running + new):
            is_new = number >= running
            self._add(self._draw(number, None if is_new else next(holders, None), is_new=is_new))
        for noun in NOUNS:
            copy_rows(self.session, noun, self.rows[noun])

    def _draw(self, number: int, agent_id: int | None, *, is_new: bool) -> DrawnProject:
        fake, draw = self.fake, self.fake.random
        family = draw.choices(FAMILIES, NEW_SHARES if is_new else RUNNING_SHARES)[0]
        permits = draw.choice(PERMITS)
        town = draw.choice(self.towns)
        site = fake.near(town.lon, town.lat)
        brand = draw.choice(fake.brands)
        began, stage, due_on = NOW, Stage.REQUESTED, None
        if not is_new:
            began = utc(self.calendar.add_working_days(TODAY, -draw.randrange(1, 30)), time(9))
        if agent_id is not None:
            stage = draw.choices([s for s, _ in RUNNING_STAGES], [share for _, share in RUNNING_STAGES])[0]
        phone, contact_name, address = fake.phone(), fake.recurring_person(), fake.address(town.name)
        investment_wan = draw.randrange(100, 50_000)
        if agent_id is not None:
            due_on = self.calendar.add_working_days(TODAY, draw.randrange(-2, 12))
        return DrawnProject(
            number=number,
            agent_id=agent_id,
            family=family,
            matters={Family.BUSINESS_OPENING: OPENING, Family.PROPERTY_REGISTRATION: REGISTRATION}.get(family, permits),
            town=town,
            site=site,
            address=address,
            brand=brand,
            contact_name=contact_name,
            phone=phone,
            investment_wan=investment_wan,
            began=began,
            stage=stage,
            due_on=due_on,
            enterprise_id=self.ids.next(Enterprise),
            contact_id=self.ids.next(Contact),
            project_id=self.ids.next(Project),
            case_id=self.ids.next(Case),
        )

    def _add(self, drawn: DrawnProject) -> None:
        self.rows[Enterprise].append(
            {
                "id": drawn.enterprise_id, "name": f"{self.county.name}{drawn.brand}有限公司", "pinyin": drawn.brand,
                "division_id": drawn.town.id, "created_at": drawn.began,
            }
        )  # fmt: skip
        self.rows[Contact].append(
            {
                "id": drawn.contact_id, "enterprise_id": drawn.enterprise_id, "name": drawn.contact_name,
                "phone": drawn.phone, "phone_hash": db.keyed_hash(drawn.phone), "locale": "zh",
                "created_at": drawn.began,
            }
        )  # fmt: skip
        self.rows[Project].append(self._project_row(drawn))
        if drawn.agent_id is not None:
            self.rows[ProjectMember].append(
                {
                    "id": self.ids.next(ProjectMember), "project_id": drawn.project_id, "agent_id": drawn.agent_id,
                    "role": TeamRole.LEAD, "counter": "", "since": drawn.began, "told_at": drawn.began,
                    "locked": False, "chosen_by": "matching", "recorded_at": drawn.began, "recorded_by": SYSTEM.label,
                }
            )  # fmt: skip
        reviews = self._reviews(drawn)
        self.rows[Review].extend(reviews)
        self.rows[Case].append(self._case_row(drawn, reviews))
        self.rows[CaseEvent].append(
            {
                "id": self.ids.next(CaseEvent), "case_id": drawn.case_id, "at": drawn.began, "kind": "requested",
                "stage": Stage.REQUESTED, "actor": "企业", "words": "已提交", "detail": {}, "internal": False,
            }
        )  # fmt: skip
        material_id = self.ids.next(Material)
        self.rows[Material].append(
            {
                "id": material_id, "case_id": drawn.case_id, "name": "申请表", "mode": MaterialMode.COPY,
                "state": MaterialState.GIVEN, "deferrable": False, "given_at": drawn.began, "media_type": "",
            }
        )  # fmt: skip
        self.rows[FactEvent].append(
            {
                "id": self.ids.next(FactEvent), "material_id": material_id, "kind": FactKind.MATERIAL_GIVEN,
                "happened_on": day_of(drawn.began), "happened_at": drawn.began, "recorded_at": drawn.began,
                "recorded_by": SYSTEM.label, "late_reason": "", "document_no": "", "media_type": "", "words": "",
                "correction_reason": "",
            }
        )  # fmt: skip

    def _project_row(self, drawn: DrawnProject) -> Row:
        lon, lat = drawn.site
        return {
            "id": drawn.project_id, "project_no": f"P{self.county.code[:6]}-2026-{drawn.number + 1:05d}",
            "name": f"{drawn.brand}项目", "enterprise_id": drawn.enterprise_id, "contact_id": drawn.contact_id,
            "division_id": drawn.town.id, "home_division_id": self.county.id, "family": drawn.family,
            "site_lon": lon, "site_lat": lat, "site_address": drawn.address, "phase": 1,
            "investment_wan": drawn.investment_wan, "facts": {}, "path_edits": {}, "priority": 1, "language": "zh",
            "escalated": False, "banned_agents": [],
            "state": ProjectState.WAITING if drawn.agent_id is None else ProjectState.ACTIVE, "version": 1,
            "changed_by": "", "created_at": drawn.began,
        }  # fmt: skip

    def _case_row(self, drawn: DrawnProject, reviews: list[Row]) -> Row:
        code = query_code()
        is_decided = drawn.stage in DECIDED
        return {
            "id": drawn.case_id,
            "case_no": f"{self.county.code[:6]}-{drawn.began:%Y%m%d}-{drawn.number + 1:05d}",
            "project_id": drawn.project_id, "division_id": self.county.id, "contact_id": drawn.contact_id,
            "query_code": code, "query_hash": db.keyed_hash(f"query:{code}"), "stage": drawn.stage,
            "stage_at": drawn.began, "version": 1, "changed_by": "", "pickup_way": Way.COURIER,
            "delivery_way": Way.COURIER, "created_at": drawn.began,
            "answer_by": answer_due(self.calendar, drawn.began),
            "committed_due_on": _latest_day(reviews, "committed_due_at"),
            "legal_due_on": _latest_day(reviews, "legal_due_at"), "is_estimate": False,
            "outcome": Outcome.GRANTED if is_decided else None,
            "decided_at": _latest(reviews, "decided_at") if is_decided else None,
        }  # fmt: skip

    def _reviews(self, drawn: DrawnProject) -> list[Row]:
        """Each matter as its events tell it."""
        rows: list[Row] = []
        for code in drawn.matters:
            mine = self._matters_at(drawn.town, drawn.family)[code]
            events = story_of(drawn.stage, drawn.due_on, mine, self.calendar)
            story = ReviewStory.of(events, rules_of(mine), self.calendar)
            review_id = self.ids.next(Review)
            named = {"id": review_id, "case_id": drawn.case_id, "matter_id": self.matters[code].id}
            rows.append(named | review_row(mine, story))
            self.rows[ReviewEvent].extend(event_rows(self.ids, review_id, story))
        return rows

    def _matters_at(self, town: Division, family: Family) -> dict[str, MatterOnProject]:
        """What a place says of a family's matters, for a project of which nothing was answered; asked once."""
        key = (town.id, family)
        if key not in self.on_projects:
            self.on_projects[key] = matters_at_intake(self.session, town, family, facts_of({}), on=TODAY, whole=True)
        return self.on_projects[key]


def _latest(rows: list[Row], column: str) -> datetime | None:
    return max((moment for row in rows if isinstance(moment := row[column], datetime)), default=None)


def _latest_day(rows: list[Row], column: str) -> date | None:
    latest = _latest(rows, column)
    return None if latest is None else day_of(latest)
