"""Correcting a site: a project stands elsewhere than was written down; authorities, limits and stops follow."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, division_with, home_county
from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import Latitude, Longitude, Why
from dispatch.acts.asking import check_reach, written_out
from dispatch.acts.deriving import derive_reviews, take_limits
from dispatch.acts.project_corrections import CorrectedProject, PartChange, keep_correction
from dispatch.acts.project_intake import check_point, only_the_middle
from dispatch.acts.route_planning import ask_for_plan
from dispatch.cases.case import Case
from dispatch.cases.lookups import open_cases
from dispatch.cases.project import Project
from dispatch.cases.project_correction import ProjectPart
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.core.errors import Refused
from dispatch.core.ids import DivisionCode, ProjectNo
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop, StopState

SITE_CORRECTED = LocalizedText("项目地点更正")
REPLAN_S = 4
Point = tuple[float | None, float | None]


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectSite:
    """The project stands elsewhere than was written down: another division, point or address.

    A field that is left out stays as it was; with another division the point and the address are given anew. Another
    county only while nobody acts for the project."""

    project: ProjectNo
    version: int | None = None
    division_code: DivisionCode | None = None
    lon: Longitude | None = None
    lat: Latitude | None = None
    address: Annotated[str, MaxLen(400)] = ""
    reason: Why

    def perform(self, context: ActContext) -> CorrectedProject:
        session, project = context.session, context.row(Project, self.project)
        if (self.lon is None) is not (self.lat is None):
            raise Refused("half a point", user_message="经度和纬度须同时填写")
        division = session.get_one(Division, project.division_id)
        if self.division_code is not None:
            division = _checked(context, project, self.division_code)
        was, old = _place_in_words(session, project), (project.site_lon, project.site_lat)
        self._move(session, project, division)
        cases = open_cases(session, project)
        for case in cases:
            case.division_id = project.home_division_id
        session.flush()
        now, new = _place_in_words(session, project), (project.site_lon, project.site_lat)
        if was == now and old != new:  # the same address at another point
            was, now = f"{was}{_point_in_words(old)}", f"{now}{_point_in_words(new)}"
        done = keep_correction(context, project, PartChange(ProjectPart.SITE, was, now, self.reason))
        _derive(context, cases)
        _move_stops(context, cases, project, old)
        return done

    def _move(self, session: Session, project: Project, division: Division) -> None:
        is_elsewhere = division.id != project.division_id
        lon, lat = (self.lon, self.lat) if self.lon is not None else (project.site_lon, project.site_lat)
        if is_elsewhere and self.lon is None:
            lon, lat = division.lon, division.lat
        check_point(division, lon, lat)
        address = written_out(self.address, division)
        if not address and is_elsewhere:
            raise Refused("another division needs its address", user_message="更正区划时请同时填写详细地址")
        project.division_id = division.id
        project.home_division_id = (home_county(session, division) or division).id
        project.site_lon, project.site_lat = lon, lat
        project.site_address = address or project.site_address


def _checked(context: ActContext, project: Project, code: str) -> Division:
    """The division, which is in force, in reach, and of the same county while somebody acts. Raises Refused."""
    division = division_with(context.session, code)
    check_reach(context, division)
    if division.retired_on is not None:
        raise Refused(
            f"{division.code} was retired on {division.retired_on}",
            user_message=LocalizedText("%(name)s已撤并，请选择现行区划", name=division.name),
        )
    home = home_county(context.session, division) or division
    if home.id != project.home_division_id and not _nobody_acts(context.session, project):
        raise Refused(
            f"project {project.project_no} is acted for in another county than {home.code}",
            user_message="已有代办员承办的项目不能改到其他区县，请撤件后到正确的区县重新申请",
        )
    return division


def _nobody_acts(session: Session, project: Project) -> bool:
    begun = select(Case.id).where(Case.project_id == project.id, Case.stage != Stage.REQUESTED)
    return not project.members and session.scalar(begun.limit(1)) is None


def _place_in_words(session: Session, project: Project) -> str:
    """The place as people read it."""
    division = session.get_one(Division, project.division_id)
    return written_out(project.site_address or "", division) or division.name


def _point_in_words(point: Point) -> str:
    lon, lat = point
    return "" if lon is None or lat is None else f"（{lon:.5f}, {lat:.5f}）"


def _derive(context: ActContext, cases: list[Case]) -> None:
    """Who decides what is not filed yet, and within which limits everything undecided, follow the place."""
    session = context.session
    of_cases = Review.case_id.in_([case.id for case in cases])
    ids = list(session.scalars(select(Review.id).where(of_cases).order_by(Review.id)))
    take_limits(context, ids)
    derive_reviews(context, ids, reason=SITE_CORRECTED)


def _move_stops(context: ActContext, cases: list[Case], project: Project, old: Point) -> None:
    """Couriers who are to call at the old point call at the right one; a run that holds such a stop is planned anew."""
    if project.site_lon is None or project.site_lat is None:
        return
    session, division = context.session, context.session.get_one(Division, project.division_id)
    ids = select(Parcel.stop_id).where(Parcel.case_id.in_([case.id for case in cases]), Parcel.stop_id.is_not(None))
    coming = CourierStop.state.in_((StopState.OPEN, StopState.PLANNED))
    stops = select(CourierStop).where(CourierStop.id.in_(ids), coming).order_by(CourierStop.id)
    for stop in session.scalars(stops.with_for_update()).all():
        if (stop.lon, stop.lat) != old:
            continue  # an appointment at another door
        stop.lon, stop.lat, stop.address = project.site_lon, project.site_lat, project.site_address or ""
        stop.is_placed = not only_the_middle(division, project.site_lon, project.site_lat)
        stop.division_id = project.home_division_id
        stop.proposed_lon = stop.proposed_lat = None
        stop.version += 1
        if stop.state is StopState.PLANNED:
            ask_for_plan(
                session, division_id=stop.division_id, on=stop.on, cutoff=stop.cutoff, limit_s=REPLAN_S,
                by=context.actor, at=context.at,
            )  # fmt: skip
