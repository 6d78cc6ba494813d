"""The event log for process mining: what happened to cases, as OCEL 2.0 (object-centric event log) in its JSON form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Project, ProjectMember
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.review import Review
from dispatch.cases.review_event import ReviewEvent
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.shanghai_time import utc
from dispatch.custody.handover import Handover
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import StopEvent

MOST_CASES = 20_000
TEXT = "string"
NOON = time(12)
"""What is known of by its day alone stands at noon."""
OBJECT_TYPES: Mapping[str, tuple[str, ...]] = {
    "project": ("family",), "case": ("stage",), "review": ("matter", "authority", "state"),
    "parcel": ("leg", "state"), "stop": (), "agent": (),
}  # fmt: skip
"""Each type of object with its attributes. No name, number or address of a person is among them."""


@dataclass(slots=True)
class _Log:
    """Objects and events as they are gathered."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def object(self, kind: str, number: object, since: datetime, **attributes: str) -> str:
        key = f"{kind}:{number}"
        self.objects.setdefault(
            key,
            {
                "id": key, "type": kind, "relationships": [],
                "attributes": [
                    {"name": name, "time": since.isoformat(), "value": value} for name, value in attributes.items()
                ],
            },
        )  # fmt: skip
        return key

    def relate(self, one: str, other: str, qualifier: str) -> None:
        self.objects[one]["relationships"].append({"objectId": other, "qualifier": qualifier})

    def event(self, key: str, kind: str, at: datetime, objects: Iterable[tuple[str, str]], **attributes: str) -> None:
        self.events.append(
            {
                "id": key, "type": kind, "time": at.isoformat(),
                "attributes": [{"name": name, "value": value} for name, value in attributes.items()],
                "relationships": [{"objectId": of, "qualifier": qualifier} for of, qualifier in objects],
            }
        )  # fmt: skip


def event_log(session: Session, viewer: Actor, *, since: datetime, until: datetime) -> Mapping[str, Any]:
    """The whole history of every visible case to which something happened from ``since`` until before ``until``.

    Events of reviews stand as they are now, corrected ones left out. Raises Refused beyond ``MOST_CASES`` cases."""
    touched = select(CaseEvent.case_id).where(CaseEvent.at >= since, CaseEvent.at < until)
    cases = session.execute(
        select(Case, Project.project_no, Project.family)
        .join(Project, Project.id == Case.project_id)
        .where(Case.id.in_(touched), visible_cases(viewer))
        .order_by(Case.id)
        .limit(MOST_CASES + 1)
    ).all()
    if len(cases) > MOST_CASES:
        raise Refused(f"more than {MOST_CASES} cases", user_message="办件太多，请缩短时间范围")
    log, keys = _Log(), {}
    for case, project_no, family in cases:
        project = log.object("project", project_no, case.created_at, family=family.value)
        keys[case.id] = log.object("case", case.case_no, case.created_at, stage=case.stage.value)
        log.relate(keys[case.id], project, "of")
    _add_agents(session, log, keys)
    _add_timeline(session, log, keys, until)
    _add_reviews(session, log, keys, until)
    _add_parcels(session, log, keys, until)
    log.events.sort(key=lambda event: (event["time"], event["id"]))
    return {
        "objectTypes": [
            {"name": kind, "attributes": [{"name": name, "type": TEXT} for name in names]}
            for kind, names in OBJECT_TYPES.items()
        ],
        "eventTypes": _event_types(log.events),
        "objects": list(log.objects.values()),
        "events": log.events,
    }


def _event_types(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found: dict[str, set[str]] = {}
    for event in events:
        found.setdefault(event["type"], set()).update(one["name"] for one in event["attributes"])
    return [
        {"name": kind, "attributes": [{"name": name, "type": TEXT} for name in sorted(names)]}
        for kind, names in sorted(found.items())
    ]


def _add_agents(session: Session, log: _Log, keys: Mapping[int, str]) -> None:
    rows = session.execute(
        select(Case.id, Agent.agent_no, ProjectMember.role, ProjectMember.since)
        .join(ProjectMember, ProjectMember.project_id == Case.project_id)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(Case.id.in_(keys), ProjectMember.replaced_at.is_(None))
        .order_by(ProjectMember.id, Case.id)
    )
    for case_id, agent_no, role, since in rows:
        log.relate(keys[case_id], log.object("agent", agent_no, since), role.value)


def _add_timeline(session: Session, log: _Log, keys: Mapping[int, str], until: datetime) -> None:
    lines = session.execute(
        select(CaseEvent.id, CaseEvent.case_id, CaseEvent.at, CaseEvent.kind, CaseEvent.stage)
        .where(CaseEvent.case_id.in_(keys), CaseEvent.at < until)
        .order_by(CaseEvent.id)
    )
    for event_id, case_id, at, kind, stage in lines:
        log.event(f"case_event:{event_id}", f"case {kind}", at, [(keys[case_id], "case")], stage=stage.value)


def _add_reviews(session: Session, log: _Log, keys: Mapping[int, str], until: datetime) -> None:
    rows = session.execute(
        select(Review, Matter.code).join(Matter, Matter.id == Review.matter_id).where(Review.case_id.in_(keys))
    ).all()
    mine: dict[int, tuple[str, str]] = {}
    for review, code in rows:
        case = keys[review.case_id]
        since = datetime.fromisoformat(log.objects[case]["attributes"][0]["time"])
        key = log.object(
            "review", review.id, since, matter=code, authority=review.authority, state=review.state.value
        )  # fmt: skip
        log.relate(key, case, "of")
        mine[review.id] = (key, case)
    by_review: dict[int, list[ReviewEvent]] = {}
    for event in session.scalars(
        select(ReviewEvent).where(ReviewEvent.review_id.in_(mine)).order_by(ReviewEvent.id)
    ):  # fmt: skip
        by_review.setdefault(event.review_id, []).append(event)
    for review_id, events in by_review.items():
        key, case = mine[review_id]
        for event in standing_events(events):
            at = event.happened_at or utc(event.happened_on, NOON)
            if at < until:
                objects = [(key, "review"), (case, "case")]
                log.event(f"review_event:{event.id}", f"review {event.kind.value}", at, objects)


def _add_parcels(session: Session, log: _Log, keys: Mapping[int, str], until: datetime) -> None:
    parcels: dict[int, tuple[str, str]] = {}
    stops: dict[int, list[str]] = {}
    for parcel in session.scalars(select(Parcel).where(Parcel.case_id.in_(keys)).order_by(Parcel.id)):
        case = keys[parcel.case_id]
        since = datetime.fromisoformat(log.objects[case]["attributes"][0]["time"])
        key = log.object("parcel", parcel.waybill, since, leg=parcel.leg.value, state=parcel.state.value)
        log.relate(key, case, "of")
        parcels[parcel.id] = (key, case)
        if parcel.stop_id is not None:
            stops.setdefault(parcel.stop_id, []).append(key)
            log.relate(key, log.object("stop", parcel.stop_id, since), "at")
    handovers = select(Handover).where(Handover.parcel_id.in_(parcels), Handover.at < until).order_by(Handover.id)
    for one in session.scalars(handovers):
        key, case = parcels[one.parcel_id]
        log.event(
            f"handover:{one.id}", "parcel handover", one.at, [(key, "parcel"), (case, "case")],
            giver=one.from_holder.value, taker=one.to_holder.value,
        )  # fmt: skip
    undone = select(StopEvent.undoes_id).where(StopEvent.undoes_id.is_not(None))
    told = select(StopEvent).where(
        StopEvent.stop_id.in_(stops), StopEvent.at < until, StopEvent.undoes_id.is_(None), StopEvent.id.not_in(undone)
    )
    for event in session.scalars(told.order_by(StopEvent.id)):
        objects = [(f"stop:{event.stop_id}", "stop"), *((key, "parcel") for key in stops[event.stop_id])]
        log.event(f"stop_event:{event.id}", f"stop {event.act.value}", event.at, objects)
