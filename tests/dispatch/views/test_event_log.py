"""The event log: it reads as OCEL 2.0 says, holds every event once, nobody's name, and only the viewer's cases."""

import json
import re
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.review_event import ReviewEvent
from dispatch.core.actor import Actor, Role
from dispatch.custody.handover import Handover
from dispatch.views.event_log import event_log
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_prescreened_case, a_request

SINCE, UNTIL = TEN - timedelta(days=1), TEN + timedelta(days=1)


def a_log(county: County, viewer: Actor | None = None) -> dict[str, list[dict[str, object]]]:
    county.session.flush()
    found = event_log(county.session, viewer or county.lead, since=SINCE, until=UNTIL)
    return json.loads(json.dumps(found))


def count(session: Session, noun: type) -> int:
    return session.scalar(select(func.count()).select_from(noun)) or 0


def some_work(county: County) -> Case:
    case, _ = a_prescreened_case(county)
    steps.hand_in(county.session, case, by=county.agent_viewer(), at=TEN, scan_id="counter")
    a_request(county)
    return case


def test_it_is_read_as_the_standard_says(county: County) -> None:
    """The rules of OCEL 2.0's JSON form: types declared, attributes of the types, ids once, relations that lead on."""
    some_work(county)
    log = a_log(county)
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    for kinds, things in (("objectTypes", "objects"), ("eventTypes", "events")):
        declared = {kind["name"]: {one["name"]: one["type"] for one in kind["attributes"]} for kind in log[kinds]}
        ids = [thing["id"] for thing in log[things]]
        assert len(ids) == len(set(ids)) > 0
        for thing in log[things]:
            assert {one["name"] for one in thing["attributes"]} <= set(declared[thing["type"]])
            assert all(isinstance(one["value"], str) for one in thing["attributes"])
    objects = {thing["id"] for thing in log["objects"]}
    for thing in [*log["objects"], *log["events"]]:
        assert {one["objectId"] for one in thing["relationships"]} <= objects
        assert all(one["qualifier"] for one in thing["relationships"])
    assert all(event["relationships"] for event in log["events"])
    times = [event["time"] for event in log["events"]]
    assert times == sorted(times)


def test_every_event_is_there_once(county: County) -> None:
    some_work(county)
    log = a_log(county)
    for noun, prefix in ((CaseEvent, "case_event"), (Handover, "handover"), (ReviewEvent, "review_event")):
        got = sum(1 for event in log["events"] if str(event["id"]).startswith(f"{prefix}:"))
        assert got == count(county.session, noun)
    assert sum(1 for thing in log["objects"] if thing["type"] == "case") == count(county.session, Case)


def test_nobodys_name_or_number_is_in_it(county: County) -> None:
    some_work(county)
    text = json.dumps(a_log(county), ensure_ascii=False)
    assert not re.search(r"1[3-9]\d{9}", text)
    for name in ("王经理", "张法人", *(agent.name for agent in county.agents), "常州精机"):
        assert name not in text


def test_others_and_other_days_are_not_in_it(county: County) -> None:
    some_work(county)
    stranger = Actor(Role.LEAD, account_id=9, division_id=county.division.id, division_path="32.9999")
    assert a_log(county, stranger)["objects"] == []
    later = event_log(county.session, county.lead, since=UNTIL, until=UNTIL + timedelta(days=1))
    assert later["objects"] == [] and later["events"] == []
