"""Demand's projects: the cases in progress and the new ones of one county, drawn and copied into their tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.network import Division
from dispatch.cases.case import Case, CaseEvent, Material, MaterialState, Way
from dispatch.cases.notify import query_code
from dispatch.cases.project import Contact, Enterprise, Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.review import Review, ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.implementation import handlings_of
from dispatch.catalogue.matter import Family, MaterialMode, Matter
from dispatch.core.shanghai_time import utc
from web.demo.case_plans import OPENING, REGISTRATION
from web.demo.context import NOW, TODAY
from web.demo.copying import NextIds, Row, copy_rows
from web.demo.fake_data import FakeData

NOUNS: tuple[type[db.Base], ...] = (Enterprise, Contact, Project, ProjectMember, Case, CaseEvent, Review, Material)
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
BEFORE_FILING = frozenset({Stage.REQUESTED, Stage.ASSIGNED, Stage.PRESCREENED, Stage.COLLECTED})


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
        self.handlings = handlings_of(session, self.matters.values(), county)
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
                    "locked": False, "chosen_by": "matching",
                }
            )  # fmt: skip
        self.rows[Case].append(self._case_row(drawn))
        self.rows[CaseEvent].append(
            {
                "id": self.ids.next(CaseEvent), "case_id": drawn.case_id, "at": drawn.began, "kind": "requested",
                "stage": Stage.REQUESTED, "actor": "企业", "words": "已提交", "detail": {}, "internal": False,
            }
        )  # fmt: skip
        self.rows[Review].extend(self._review_rows(drawn))
        self.rows[Material].append(
            {
                "id": self.ids.next(Material), "case_id": drawn.case_id, "name": "申请表", "mode": MaterialMode.COPY,
                "state": MaterialState.GIVEN, "deferrable": False,
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
            "created_at": drawn.began,
        }  # fmt: skip

    def _case_row(self, drawn: DrawnProject) -> Row:
        code, due_on = query_code(), drawn.due_on
        return {
            "id": drawn.case_id,
            "case_no": f"{self.county.code[:6]}-{drawn.began:%Y%m%d}-{drawn.number + 1:05d}",
            "project_id": drawn.project_id, "division_id": self.county.id, "contact_id": drawn.contact_id,
            "query_code": code, "query_hash": db.keyed_hash(f"query:{code}"), "stage": drawn.stage,
            "stage_at": drawn.began, "version": 1, "changed_by": "", "pickup_way": Way.COURIER,
            "delivery_way": Way.COURIER, "created_at": drawn.began,
            "answer_by": self.calendar.closes_at(self.calendar.add_working_days(drawn.began.date(), 1)),
            "committed_due_on": due_on, "legal_due_on": None if due_on is None else due_on + timedelta(days=14),
            "is_estimate": False,
        }  # fmt: skip

    def _review_rows(self, drawn: DrawnProject) -> Iterator[Row]:
        """PREPARED until filed; what is under review or decided stands as filed, without events of its own."""
        state = ReviewState.PREPARED if drawn.stage in BEFORE_FILING else ReviewState.SUBMITTED
        for code in drawn.matters:
            matter, handling = self.matters[code], self.handlings[code]
            yield {
                "id": self.ids.next(Review), "case_id": drawn.case_id, "matter_id": matter.id,
                "authority": handling.authority, "authority_division_id": handling.division_id,
                "counter_division_id": handling.counter_division_id, "counter": handling.counter_place,
                "state": state, "statutory_wd": handling.statutory_wd, "committed_wd": handling.committed_wd,
                "same_day": handling.same_day, "deemed_accepted": False, "version": 1,
            }  # fmt: skip
