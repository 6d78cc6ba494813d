"""Where a stop is: a lead places it on the map, or takes a courier's entrance; the address stays there for good."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Latitude, Longitude
from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.core.errors import Refused
from dispatch.core.ids import StopId
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop
from routing.day.known_points import confirm_point, folded
from routing.travel.geocoding import JIANGSU


@dataclass(frozen=True, slots=True)
class PointResult:
    """A stop whose point is confirmed, and how many stops to come and project sites moved there with it."""

    stop_id: int
    stops: int
    sites: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceStop:
    """A lead says where an address is; a stop that waited for it may be planned from now on."""

    stop: StopId
    lon: Longitude
    lat: Latitude

    def perform(self, context: ActContext) -> PointResult:
        west, east, south, north = JIANGSU
        if not (west <= self.lon <= east and south <= self.lat <= north):
            raise Refused(f"{self.lon}, {self.lat} is not in the province", user_message="这个位置不在江苏省内")
        return settle_point(context, context.row(CourierStop, self.stop), self.lon, self.lat)


def settle_point(context: ActContext, stop: CourierStop, lon: float, lat: float) -> PointResult:
    """The address of a stop is here: this stop, those to come, the sites written the same, and what is booked later."""
    session, lon, lat = context.session, round(lon, 6), round(lat, 6)
    moved = confirm_point(session, stop, lon=lon, lat=lat, by=context.actor.label, at=context.at)
    sites = [project for project in _sites(session, stop) if (project.site_lon, project.site_lat) != (lon, lat)]
    for project in sites:
        project.site_lon, project.site_lat = lon, lat
    return PointResult(stop.id, len(moved), len(sites))


def _sites(session: Session, stop: CourierStop) -> list[Project]:
    """The projects whose site is written as this stop's address, of the enterprises whose papers go there."""
    cases = select(Case.project_id).join(Parcel, Parcel.case_id == Case.id).where(Parcel.stop_id == stop.id)
    enterprises = select(Project.enterprise_id).where(Project.id.in_(cases))
    theirs = select(Project).where(Project.enterprise_id.in_(enterprises), Project.site_lon.is_not(None))
    rows = session.scalars(theirs.order_by(Project.id).with_for_update())
    return [project for project in rows if folded(project.site_address or "") == folded(stop.address)]
