"""The API's resources: each one's happy path, and what it refuses in words that a program can act on."""

import io
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import InvalidArgument, Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select
from werkzeug.test import TestResponse

import db
from dispatch.cases.stages import Stage
from dispatch.core.actor import Role
from notifications import task_publisher
from notifications.message import Message
from routing.day import plan_jobs, planning
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import StopKind, StopState
from routing.day.day_plan import DayPlan, PlanState
from routing.day.stops import Address, request_stop
from tests.dispatch.builders import WUJIN
from tests.web.api.described import Description
from tests.web.wiring.pictures import a_png
from tests.web.world import A_PDF, ArgsOf, World, make_world
from web.api.resources import type_words
from web.app import create_app
from web.wiring import cursors, files
from web.wiring.accounts import Account
from web.wiring.settings import Settings
from web.wiring.tokens import issue_token

SITE = {"division_code": "320412100000", "lon": 119.96, "lat": 31.72, "address": "湖塘镇人民东路1号"}
A_PROJECT = {"name": "扩产项目", "family": "industrial_permit", "matters": ["IND-104", "IND-105"], "site": SITE}
A_LETTER = {
    "legal_representative": "张法人", "powers": ["submit", "receive"], "valid_to": "2027-06-30",
    "people": [{"name": "王经理", "phone": "13812345678"}],
}  # fmt: skip
Ask = Callable[..., TestResponse]
REUSED = "idempotency-key-reused"
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a county and its people; each test files projects of its own."""
    folder = Path(tmp_path_factory.mktemp("api"))
    name = f"api_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {county_database} STRATEGY FILE_COPY")
    made = create_app(
        Settings(
            database_url=postgres.rsplit("/", 1)[0] + "/" + name,
            broker_url="redis://127.0.0.1:1/0",
            home=folder,
            secret_key="k" * 64,
            limit_requests=False,
        )
    )
    task_publisher.use(None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        sessions = made.extensions["daiban.sessions"]
        made.extensions["world"] = world = make_world(sessions)
        with sessions.begin() as session:
            accounts = {role: session.get_one(Account, account.id) for role, account in world.accounts.items()}
            made.extensions["tokens"] = {role: issue_token(session, a, "api") for role, a in accounts.items()}
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture
def world(app: Flask) -> World:
    found: World = app.extensions["world"]
    return found


@pytest.fixture(scope="module")
def description(app: Flask) -> Description:
    return Description(app.test_client().get("/openapi.json").json)


@pytest.fixture
def ask(app: Flask, description: Description) -> Ask:
    """``ask(role, "POST /cases", json=…)`` with that person's bearer token; the answer is what the document says."""

    def send(role: Role, line: str, *, key: str | None = None, **more: Any) -> TestResponse:
        method, path = line.split(" ", 1)
        headers = {"Authorization": f"Bearer {app.extensions['tokens'][role]}"}
        if key:
            headers["Idempotency-Key"] = key
        answer = app.test_client().open("/api/v1" + path, method=method, headers=headers, **more)
        description.check(method, "/api/v1" + path.partition("?")[0], answer)
        return answer

    return send


def made(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def problem(answer: TestResponse, status: int, slug: str) -> Any:
    """The answer is this problem, in words."""
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    body = answer.json
    assert body["type"] == f"/docs/problems#{slug}"
    assert body["status"] == status
    assert body["title"]
    return body


def a_case(ask: Ask) -> dict[str, str]:
    """A fresh project's numbers: requested."""
    named = A_PROJECT | {"name": f"扩产项目{uuid.uuid4().hex[:8]}"}
    numbers: dict[str, str] = made(ask(Role.ENTERPRISE, "POST /projects", json=named), 201)
    return numbers


def prescreened(ask: Ask) -> str:
    """The number of a fresh case that passed the prescreen."""
    numbers = a_case(ask)
    case_no, project_no = numbers["case_no"], numbers["project_no"]
    made(ask(Role.LEAD, f"POST /projects/{project_no}/assignment", json={"mode": "auto"}))
    made(ask(Role.ENTERPRISE, f"POST /projects/{project_no}/delegation", json=A_LETTER), 201)
    for material in made(ask(Role.ENTERPRISE, f"GET /cases/{case_no}"))["materials"]:
        if material["state"] == "wanted" and material["mode"] == "copy":
            given = {"material_id": str(material["id"]), "file": (io.BytesIO(A_PDF), "a.pdf")}
            made(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/materials", data=given), 201)
    made(ask(Role.OPERATOR, f"POST /cases/{case_no}/prescreen", json={}))
    return case_no


# ---------------------------------------------------------------- projects and assignment


def test_a_project_is_filed_read_and_given_one_more_case(ask: Ask) -> None:
    answer = ask(Role.ENTERPRISE, "POST /projects", json=A_PROJECT)
    numbers = made(answer, 201)
    assert answer.location.endswith(f"/projects/{numbers['project_no']}")
    added = made(
        ask(Role.ENTERPRISE, f"POST /projects/{numbers['project_no']}/cases", json={"matters": ["IND-101"]}), 201
    )
    shown = made(ask(Role.LEAD, f"GET /projects/{numbers['project_no']}"))
    assert [case["case_no"] for case in shown["cases"]] == [numbers["case_no"], added["case_no"]]


def test_an_assignment_says_why_and_by_hand_needs_a_reason(ask: Ask, world: World) -> None:
    line = f"/projects/{a_case(ask)['project_no']}/assignment"
    problem(ask(Role.LEAD, f"POST {line}", json={}), 422, "refused")
    problem(ask(Role.LEAD, f"POST {line}", json={"agent_id": world.ours["agent_id"]}), 422, "refused")
    problem(ask(Role.LEAD, f"POST {line}", json={"agent_id": 999_999, "reason": "熟悉"}), 404, "not-found")
    chosen = made(ask(Role.LEAD, f"POST {line}", json={"mode": "auto"}))
    assert chosen["agent_id"]
    assert made(ask(Role.SUPERVISOR, f"GET {line}"))["agent_id"] == chosen["agent_id"]
    problem(ask(Role.ENTERPRISE, f"GET {line}"), 404, "not-found")


def test_instants_are_iso_8601_with_one_offset_whether_read_or_just_written(ask: Ask) -> None:
    shown = made(ask(Role.LEAD, f"GET /projects/{a_case(ask)['project_no']}"))
    taken = made(ask(Role.LEAD, "POST /tickets", json={"kind": "question", "words": "?", "area": "320412000000"}), 201)
    for instant in (shown["created_at"], taken["due_at"]):
        assert datetime.fromisoformat(instant).utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"matters": ["IND-999"]}, 422, "refused"),
        ({"matters": []}, 422, "invalid"),
        ({"is_state_secret": True}, 422, "refused"),
        ({"name": "   "}, 422, "invalid"),
        ({"family": "casino"}, 422, "invalid"),
        ({"site": {"division_code": "990000000000"}}, 404, "not-found"),
        ({"site": {"division_code": WUJIN, "lon": 500}}, 422, "invalid"),
        ({"price": 100}, 422, "invalid"),
        ({"contact_id": 10**30}, 422, "invalid"),
        ({"name": "\0"}, 422, "refused"),
        ({"project_code": "26\0"}, 422, "refused"),
    ],
    ids=str,
)
def test_a_bad_request_for_a_project_is_refused_in_words(
    ask: Ask, change: dict[str, Any], status: int, slug: str
) -> None:
    body = problem(ask(Role.ENTERPRISE, "POST /projects", json=A_PROJECT | change), status, slug)
    assert body.get("detail") or body.get("errors")


# ---------------------------------------------------------------- cases


def test_a_case_goes_from_prescreen_to_the_counter_and_its_filing(ask: Ask) -> None:
    case_no = prescreened(ask)
    problem(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/parcels", json={"leg": "counter"}), 404, "not-found")
    problem(ask(Role.OPERATOR, f"POST /cases/{case_no}/submission", json={}), 409, "wrong-stage")
    answer = ask(Role.OPERATOR, f"POST /cases/{case_no}/parcels", json={"leg": "counter", "scan_id": uuid.uuid4().hex})
    waybill = made(answer, 201)["waybill"]
    assert answer.location.endswith(f"/parcels/{waybill}/custody")
    shown = made(ask(Role.ENTERPRISE, f"GET /cases/{case_no}"))
    stale = ask(Role.OPERATOR, f"POST /cases/{case_no}/submission", json={"version": shown["version"] - 1})
    problem(stale, 409, "stale")
    filed = made(ask(Role.OPERATOR, f"POST /cases/{case_no}/submission", json={"version": shown["version"]}))
    assert filed["stage"] == Stage.SUBMITTED.value
    review_id = shown["reviews"][0]["id"]
    problem(ask(Role.OPERATOR, f"PATCH /reviews/{review_id}", json={"step": "accepted"}), 422, "refused")
    line = f"PATCH /reviews/{review_id}"
    accepted = made(ask(Role.OPERATOR, line, json={"step": "accepted", "notice_no": "受1"}))
    assert accepted["state"] == "accepted"
    problem(ask(Role.OPERATOR, line, json={"step": "paused", "notice_no": "停1"}), 422, "refused")
    early = {"step": "extended", "words": "专家评审", "on": "2099-01-01"}
    problem(ask(Role.OPERATOR, line, json=early), 422, "refused")
    problem(ask(Role.OPERATOR, line, json={"step": "granted", "notice_no": "1", "version": 1}), 409, "stale")
    problem(ask(Role.OPERATOR, line, json={"step": "denied", "notice_no": "1"}), 422, "refused")
    assert made(ask(Role.OPERATOR, line, json={"step": "granted", "notice_no": "准1"}))["state"] == "granted"
    problem(ask(Role.OPERATOR, line, json={"step": "granted", "notice_no": "准1"}), 409, "wrong-stage")


def test_the_authoritys_paper_is_kept_with_its_step_and_a_mistake_is_corrected(ask: Ask) -> None:
    case_no = prescreened(ask)
    made(ask(Role.OPERATOR, f"POST /cases/{case_no}/parcels", json={"leg": "counter"}), 201)
    made(ask(Role.OPERATOR, f"POST /cases/{case_no}/submission", json={}))
    line = f"PATCH /reviews/{made(ask(Role.OPERATOR, f'GET /cases/{case_no}'))['reviews'][0]['id']}"
    accepted = {"step": "accepted", "notice_no": "受1"}
    problem(ask(Role.OPERATOR, line, json=accepted | {"document": "0" * 64}), 422, "refused")
    problem(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/documents"), 404, "not-found")
    kept = ask(Role.OPERATOR, f"POST /cases/{case_no}/documents", data={"file": (io.BytesIO(A_PDF), "受理.pdf")})
    made(ask(Role.OPERATOR, line, json=accepted | {"document": made(kept, 201)["sha256"]}))
    event = made(ask(Role.OPERATOR, f"GET /cases/{case_no}"))["reviews"][0]["events"][-1]
    assert (event["kind"], event["document_no"], event["stands"]) == ("accepted", "受1", True)
    wrong = {"step": "corrected", "event": event["id"], "notice_no": "受2"}
    problem(ask(Role.OPERATOR, line, json=wrong), 422, "invalid")
    made(ask(Role.OPERATOR, line, json=wrong | {"reason": "号码看错"}))
    shown = made(ask(Role.ENTERPRISE, f"GET /cases/{case_no}"))["reviews"][0]
    assert shown["acceptance_no"] == "受2"
    assert [(one["stands"], one["corrects"]) for one in shown["events"][-2:]] == [(False, None), (True, event["id"])]


def test_defects_are_told_corrected_and_the_case_withdrawn(ask: Ask) -> None:
    numbers = a_case(ask)
    case_no = numbers["case_no"]
    problem(ask(Role.OPERATOR, f"POST /cases/{case_no}/prescreen", json={}), 409, "wrong-stage")
    made(ask(Role.LEAD, f"POST /projects/{numbers['project_no']}/assignment", json={"mode": "auto"}))
    unknown = {"defects": {"999999": "公章不清"}}
    problem(ask(Role.OPERATOR, f"POST /cases/{case_no}/prescreen", json=unknown), 404, "not-found")
    assert made(ask(Role.OPERATOR, f"POST /cases/{case_no}/prescreen", json={}))["stage"] == "correction"
    problem(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/corrections"), 422, "refused")
    problem(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/withdrawal", json={}), 422, "invalid")
    assert (
        made(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/withdrawal", json={"reason": "计划变更"}))["stage"]
        == "withdrawn"
    )
    again = ask(Role.ENTERPRISE, f"POST /cases/{case_no}/withdrawal", json={"reason": "计划变更"})
    problem(again, 409, "wrong-stage")
    review_id = made(ask(Role.ENTERPRISE, f"GET /cases/{case_no}"))["reviews"][0]["id"]
    grades = {"grades": [{"review_id": review_id, "grade": 5}]}
    problem(ask(Role.ENTERPRISE, f"POST /cases/{case_no}/evaluation", json=grades), 409, "wrong-stage")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 400),
        ({"material_id": "x"}, 400),
        ({"material_id": "９"}, 400),
        ({"material_id": "999999999"}, 404),
        ({"content": b"MZ not a paper"}, 422),
        ({"content": b""}, 422),
    ],
    ids=str,
)
def test_a_material_that_cannot_be_kept_is_refused(ask: Ask, given: dict[str, Any], status: int) -> None:
    case_no = a_case(ask)["case_no"]
    material = made(ask(Role.ENTERPRISE, f"GET /cases/{case_no}"))["materials"][0]["id"]
    form = {
        "material_id": given.get("material_id", str(material)),
        "file": (io.BytesIO(given.get("content", A_PDF)), "a.pdf"),
    }
    answer = ask(Role.ENTERPRISE, f"POST /cases/{case_no}/materials", data=form if given else {})
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_absent_and_anothers_read_alike(ask: Ask, world: World) -> None:
    for line, absent in {
        "GET /cases/{case_no}": {"case_no": "320412-20261121-99999"},
        "GET /projects/{project_no}": {"project_no": "P320412-2026-99999"},
        "GET /parcels/{waybill}/custody": {"waybill": "EA999999995CN"},
        "GET /plans/{plan_id}": {"plan_id": 99_999},
        "POST /plans/{plan_id}/commit": {"plan_id": 99_999},
    }.items():
        answers = [ask(Role.LEAD, line.format(**part), json={}) for part in (world.theirs, absent)]
        assert [answer.status_code for answer in answers] == [404, 404], line
        assert answers[0].data == answers[1].data


def test_a_repeated_write_with_its_key_files_one_project(ask: Ask) -> None:
    key = uuid.uuid4().hex
    named = A_PROJECT | {"name": "两次提交的项目"}
    answers = [ask(Role.ENTERPRISE, "POST /projects", json=named, key=key) for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].location == answers[1].location
    problem(ask(Role.ENTERPRISE, "POST /projects", json=A_PROJECT | {"name": "另一项目"}, key=key), 422, REUSED)


def test_what_was_read_is_not_sent_again_and_guards_what_is_written(app: Flask, ask: Ask) -> None:
    """If-None-Match and If-Match take the ETag; 412 once somebody was quicker, and nothing has changed then."""
    numbers, browser = a_case(ask), app.test_client()
    case_no, line = numbers["case_no"], f"/api/v1/cases/{numbers['case_no']}"
    bearer = {"Authorization": f"Bearer {app.extensions['tokens'][Role.ENTERPRISE]}"}

    def withdrawn_as_of(etag: str) -> TestResponse:
        return browser.post(f"{line}/withdrawal", json={"reason": "不办了"}, headers=bearer | {"If-Match": etag})

    old = ask(Role.ENTERPRISE, f"GET /cases/{case_no}").headers["ETag"]
    again = browser.get(line, headers=bearer | {"If-None-Match": old})
    assert (again.status_code, again.data) == (304, b"")
    made(ask(Role.LEAD, f"POST /projects/{numbers['project_no']}/assignment", json={"mode": "auto"}))
    problem(withdrawn_as_of(old), 412, "stale")
    assert made(ask(Role.ENTERPRISE, f"GET /cases/{case_no}"))["stage"] == "assigned"
    assert made(withdrawn_as_of(ask(Role.ENTERPRISE, f"GET /cases/{case_no}").headers["ETag"]))["stage"] == "withdrawn"


@pytest.mark.parametrize("line", ["/projects", "/cases", "/parcels", "/tickets", "/plans"])
def test_a_list_shows_what_may_be_read_and_nobody_elses(ask: Ask, world: World, line: str) -> None:
    """Another county's lead sees none of ours; what is filtered is a part of what is there."""
    a_case(ask)
    told = made(ask(Role.LEAD, f"GET {line}?limit=200"))["items"]
    text = str(told)
    for name in ("project_no", "case_no", "waybill", "ticket_no"):
        assert str(world.theirs[name]) not in text
    for row in told:
        word = "stage" if line == "/cases" else "state"
        same = made(ask(Role.LEAD, f"GET {line}?limit=200&{word}={row[word]}"))["items"]
        assert row in same and {one[word] for one in same} == {row[word]}
        break
    assert ask(Role.LEAD, f"GET {line}?limit=200&{'stage' if line == '/cases' else 'state'}=nowhere").status_code == 422


def test_a_part_of_a_name_or_number_finds_a_project_and_its_cases(ask: Ask) -> None:
    numbers = a_case(ask)
    part = numbers["project_no"][-8:]
    found = made(ask(Role.ENTERPRISE, f"GET /projects?q={part}"))["items"]
    assert [row["project_no"] for row in found] == [numbers["project_no"]]
    assert made(ask(Role.ENTERPRISE, "GET /projects?q=%25"))["items"] == []
    of_project = made(ask(Role.ENTERPRISE, f"GET /cases?project_no={numbers['project_no']}"))["items"]
    assert [row["case_no"] for row in of_project] == [numbers["case_no"]]
    assert made(ask(Role.ENTERPRISE, f"GET /cases?q={numbers['case_no']}"))["items"] == of_project
    assert {row["name"] for row in made(ask(Role.LEAD, "GET /divisions?q=武进"))["items"]} == {"武进区"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("/cases", "case_no"), ("/messages", "id"), ("/matters", "code"), ("/agents", "id"),
        ("/divisions?parent=320000000000", "code"), ("/projects", "project_no"), ("/tickets", "ticket_no"),
        ("/parcels", "waybill"), ("/plans", "id"),
    ],
)  # fmt: skip
def test_a_cursor_walks_every_row_once(ask: Ask, line: str, name: str) -> None:
    a_case(ask)
    join = "&" if "?" in line else "?"
    whole = made(ask(Role.OPERATOR, f"GET {line}{join}limit=200"))
    assert whole["next_cursor"] is None
    walked, cursor = [], ""
    while True:
        page = made(ask(Role.OPERATOR, f"GET {line}{join}limit=1{cursor}"))
        assert len(page["items"]) <= 1
        walked += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [row[name] for row in walked] == [row[name] for row in whole["items"]]
    assert len(walked) == len({row[name] for row in walked})
    problem(ask(Role.OPERATOR, f"GET {line}{join}limit=0"), 422, "invalid")
    problem(ask(Role.OPERATOR, f"GET {line}{join}cursor=nonsense"), 400, "bad-request")


# ---------------------------------------------------------------- parcels, plans, stops


def test_a_parcel_goes_through_hands_and_never_twice(ask: Ask) -> None:
    case_no = prescreened(ask)
    first = uuid.uuid4().hex
    waybill = made(
        ask(Role.OPERATOR, f"POST /cases/{case_no}/parcels", json={"leg": "counter", "scan_id": first}), 201
    )["waybill"]  # fmt: skip
    line = f"POST /parcels/{waybill}/handovers"
    scan = {"to": "authority", "scan_id": uuid.uuid4().hex}
    assert made(ask(Role.OPERATOR, line, json=scan), 201) == made(ask(Role.OPERATOR, line, json=scan), 201)
    problem(ask(Role.OPERATOR, line, json=scan | {"scan_id": uuid.uuid4().hex}), 409, "already-held")
    problem(ask(Role.OPERATOR, line, json={"to": "courier", "scan_id": "x"}), 422, "refused")
    problem(
        ask(Role.OPERATOR, f"POST /parcels/{waybill[:-3]}{(int(waybill[-3]) + 1) % 10}CN/handovers", json=scan),
        422,
        "refused",
    )
    other = prescreened(ask)
    problem(
        ask(Role.OPERATOR, f"POST /cases/{other}/parcels", json={"leg": "counter", "scan_id": first}), 409, "conflict"
    )
    links = made(ask(Role.ENTERPRISE, f"GET /parcels/{waybill}/custody"))["links"]
    assert [link["to"] for link in links] == ["centre", "authority"]


def test_a_leg_needs_its_window_on_a_working_day(ask: Ask) -> None:
    line = f"POST /cases/{prescreened(ask)}/parcels"
    window = {"leg": "pickup", "on": "2026-11-25", "opens_s": 32_400, "closes_s": 39_600}
    problem(ask(Role.ENTERPRISE, line, json={"leg": "pickup"}), 422, "refused")
    problem(ask(Role.ENTERPRISE, line, json=window | {"leg": "transfer"}), 422, "invalid")
    problem(ask(Role.ENTERPRISE, line, json=window | {"on": "2026-11-22"}), 422, "refused")
    problem(ask(Role.ENTERPRISE, line, json=window | {"on": "2026-11-28"}), 422, "refused")
    problem(ask(Role.ENTERPRISE, line, json=window | {"closes_s": 100}), 409, "conflict")
    problem(ask(Role.ENTERPRISE, line, json=window | {"recipient_id": 999_999}), 422, "refused")
    booked = made(ask(Role.ENTERPRISE, line, json=window), 201)
    assert booked["leg"] == "pickup"
    assert booked["stop_id"]


def test_a_plan_is_queued_read_and_given_up(ask: Ask) -> None:
    answer = ask(Role.LEAD, "POST /plans", json={"area": WUJIN, "date": "2026-11-27"})
    plan_id = made(answer, 202)["id"]
    assert answer.location.endswith(f"/plans/{plan_id}")
    assert made(ask(Role.SUPERVISOR, f"GET /plans/{plan_id}"))["state"] == "queued"
    problem(ask(Role.LEAD, f"POST /plans/{plan_id}/commit"), 409, "conflict")
    problem(ask(Role.LEAD, f"POST /plans/{plan_id}/replan", json={}), 409, "conflict")
    assert ask(Role.LEAD, f"DELETE /plans/{plan_id}").status_code == 204
    problem(ask(Role.LEAD, f"DELETE /plans/{plan_id}"), 409, "conflict")
    problem(ask(Role.LEAD, "POST /plans", json={"area": "320505000000", "date": "2026-11-27"}), 404, "not-found")
    problem(ask(Role.LEAD, "POST /plans", json={"area": WUJIN, "date": "2026-02-30"}), 422, "invalid")


def test_a_batch_has_one_planning_job_and_one_committed_plan(ask: Ask, app: Flask) -> None:
    asked = {"area": WUJIN, "date": "2026-11-28", "limit": 1}
    first = made(ask(Role.LEAD, "POST /plans", json=asked), 202)
    joined = made(ask(Role.LEAD, "POST /plans", json=asked), 202)
    assert joined == first, "the job that waits is joined"
    other = made(ask(Role.LEAD, "POST /plans", json=asked | {"cutoff": "PM"}), 202)
    assert other["id"] != first["id"], "another batch is another job"
    assert worked(app, first["id"]) is PlanState.PREVIEW
    second = made(ask(Role.LEAD, "POST /plans", json=asked), 202)
    assert made(ask(Role.LEAD, f"GET /plans/{first['id']}"))["state"] == "cancelled", "a preview is given up"
    problem(ask(Role.LEAD, f"POST /plans/{first['id']}/commit"), 409, "conflict")
    assert worked(app, second["id"]) is PlanState.PREVIEW
    with app.extensions["daiban.sessions"].begin() as session:  # beside the rule, as a race would leave it
        standing = session.get_one(DayPlan, second["id"])
        beside = plan_jobs.queue_plan(
            session, division_id=standing.division_id, on=standing.on, cutoff=standing.cutoff, limit_s=1, by="",
            at=db.now(session),
        ).id  # fmt: skip
    assert worked(app, beside) is PlanState.PREVIEW
    assert made(ask(Role.LEAD, f"POST /plans/{second['id']}/commit"))["state"] == "committed"
    problem(ask(Role.LEAD, f"POST /plans/{beside}/commit"), 409, "conflict")
    assert made(ask(Role.LEAD, f"GET /plans/{second['id']}"))["state"] == "committed"
    again = made(ask(Role.LEAD, f"POST /plans/{second['id']}/replan", json={}), 202)
    assert made(ask(Role.LEAD, f"POST /plans/{second['id']}/replan", json={}), 202) == again


def worked(app: Flask, plan_id: int) -> PlanState | None:
    """What the queue's worker does."""
    sessions, travel = app.extensions["daiban.sessions"], app.extensions["daiban.travel"]
    return planning.work_on(sessions, plan_id, travel=travel, max_iterations=50)


def a_stop_of_our_courier(app: Flask, world: World) -> int:
    """A planned stop that no other test moves, in a run of the world's courier."""
    with app.extensions["daiban.sessions"].begin() as session:
        run = session.scalars(
            select(CourierRun).where(CourierRun.courier_id == world.accounts[Role.COURIER].courier_id)
        ).first()
        assert run is not None
        plan = session.get_one(DayPlan, run.plan_id)
        stop = request_stop(
            session, division_id=plan.division_id, on=run.on, kind=StopKind.PICKUP,
            address=Address(119.95, 31.71, "延政路9号", "王经理", "+8613812345678"), windows=[(32_400, 39_600)],
            at=plan.requested_at,
        )  # fmt: skip
        stop.state, stop.run_id, stop.position = StopState.PLANNED, run.id, 99
        return stop.id


def test_an_act_at_a_stop_is_taken_once_and_a_wrong_code_is_counted(app: Flask, ask: Ask, world: World) -> None:
    line = f"POST /stops/{a_stop_of_our_courier(app, world)}/events"
    arrived = {"event_id": str(uuid.uuid4()), "act": "arrived", "device_at": "2026-11-24T09:30:00"}
    assert made(ask(Role.COURIER, line, json=arrived), 201) == made(ask(Role.COURIER, line, json=arrived), 201)
    fresh = {"event_id": str(uuid.uuid4()), "inspected": True}
    problem(ask(Role.COURIER, line, json=fresh | {"act": "failed"}), 409, "conflict")
    problem(ask(Role.COURIER, line, json=fresh | {"act": "undone"}), 409, "conflict")
    problem(ask(Role.COURIER, line, json=fresh | {"act": "collected", "waybills": ["EA1"]}), 422, "refused")
    problem(ask(Role.COURIER, line, json=fresh | {"act": "teleported"}), 422, "invalid")
    problem(ask(Role.COURIER, f"POST /stops/{world.theirs['stop_id']}/events", json=arrived), 404, "not-found")


# ---------------------------------------------------------------- tickets, messages


def test_a_ticket_has_a_number_an_owner_and_a_day(ask: Ask, world: World) -> None:
    asked = {"kind": "complaint", "words": "三天无人联系", "case_no": world.ours["case_no"]}
    ticket = made(ask(Role.ENTERPRISE, "POST /tickets", json=asked), 201)
    assert ticket["ticket_no"]
    assert ticket["due_at"]
    assert made(ask(Role.ENTERPRISE, "POST /tickets", json={"kind": "question", "words": "?"}), 201)["ticket_no"]
    problem(ask(Role.LEAD, "POST /tickets", json={"kind": "question", "words": "?"}), 422, "refused")
    problem(ask(Role.ENTERPRISE, "POST /tickets", json=asked | {"case_no": world.theirs["case_no"]}), 404, "not-found")


def test_messages_are_masked_and_resent_only_with_a_reason(app: Flask, ask: Ask, world: World) -> None:
    listed = made(ask(Role.LEAD, "GET /messages?limit=200"))["items"]
    assert listed
    assert all("****" in row["to"] for row in listed)
    with app.extensions["daiban.sessions"]() as session:
        codes = [m.values["query_code"] for m in session.scalars(select(Message)) if "query_code" in m.values]
    assert not [code for code in codes for row in listed if code in row["body"]]
    waiting = made(ask(Role.LEAD, "GET /messages?limit=200&state=queued"))["items"]
    assert [row["id"] for row in waiting] == [row["id"] for row in listed if row["state"] == "queued"]
    assert made(ask(Role.LEAD, "GET /messages?state=delivered"))["items"] == []
    line = f"POST /messages/{world.ours['message_id']}/resend"
    problem(ask(Role.LEAD, line, json={}), 422, "invalid")
    problem(ask(Role.LEAD, line, json={"reason": "未收到"}), 422, "refused")  # it is still on its way
    problem(
        ask(Role.LEAD, f"POST /messages/{world.theirs['message_id']}/resend", json={"reason": "x"}), 404, "not-found"
    )


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-23T10:00:00"])
def test_a_cursor_that_no_list_gave_is_refused(ask: Ask, moment: str) -> None:
    problem(ask(Role.LEAD, f"GET /cases?cursor={cursors.encode(moment, 1)}"), 400, "bad-request")


def test_the_catalogue_is_read_whole_or_one_family_of_it(ask: Ask) -> None:
    everything = made(ask(Role.ENTERPRISE, "GET /matters?limit=200"))["items"]
    land = made(ask(Role.ENTERPRISE, "GET /matters?limit=200&family=industrial_permit"))["items"]
    assert {row["family"] for row in land} == {"industrial_permit"}
    assert land == [row for row in everything if row["family"] == "industrial_permit"]


def test_a_token_that_is_nobodys_or_anothers_cannot_be_ended(ask: Ask, world: World) -> None:
    for token_id in (10**6, world.theirs["token_id"]):
        problem(ask(Role.LEAD, f"DELETE /me/tokens/{token_id}"), 404, "not-found")


def test_a_program_makes_no_tokens_for_others(ask: Ask) -> None:
    refused = ask(Role.LEAD, "POST /me/tokens", json={"name": "another"})
    assert (refused.status_code, refused.content_type) == (403, "application/problem+json")
    assert "another" not in [row["name"] for row in made(ask(Role.LEAD, "GET /me/tokens"))["items"]]


def test_a_proof_comes_as_a_file_and_for_the_courier_who_speaks(app: Flask, ask: Ask, world: World) -> None:
    line = f"/stops/{a_stop_of_our_courier(app, world)}/proofs"
    problem(ask(Role.COURIER, f"POST {line}", data={}, content_type="multipart/form-data"), 400, "bad-request")
    headers = {"Authorization": f"Bearer {app.extensions['tokens'][Role.COURIER]}", "X-Courier": "0"}
    picture = {"file": (io.BytesIO(b"\xff\xd8\xff"), "a.jpg")}
    answer = app.test_client().post(f"/api/v1{line}", headers=headers, data=picture)
    problem(answer, 409, "conflict")
    kept = made(ask(Role.COURIER, f"POST {line}", data={"file": (io.BytesIO(a_png(2, 2, bits=8)), "a.png")}), 201)
    assert files.path_of(kept["sha256"]).is_file()


def test_what_workers_counted_is_answered_together(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With several workers each keeps its counts in a folder; this process has counted nothing there."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert app.test_client().get("/metrics").status_code == 200


def test_the_page_of_the_api_names_the_values_of_a_choice() -> None:
    assert type_words({"enum": ["auto", None]}) == "auto | None"
    assert type_words({"type": "array", "items": {"type": "string", "format": "date"}}) == "string (date)[]"
    assert type_words({"anyOf": [{"$ref": "#/components/schemas/Limit"}, {"type": "null"}]}) == "Limit | null"


# ---------------------------------------------------------------- whatever else anybody may send


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ENTERPRISE])
def test_whatever_is_sent_the_answer_is_one_that_the_document_names(app: Flask, world: World, role: Role) -> None:
    bearer = {"Authorization": f"Bearer {app.extensions['tokens'][role]}", "Accept-Encoding": "identity"}
    wrong: list[str] = []
    described = schemathesis.openapi.from_wsgi("/openapi.json", app)
    for operation in (result.ok() for result in described.get_all_operations()):
        if not operation.path.startswith("/api/v1/") or "tokens" in operation.path:
            continue
        for mode in GenerationMode:
            try:
                send_all(operation.as_strategy(generation_mode=mode), bearer, world.ours)
            except (Unsatisfiable, InvalidArgument):
                continue  # nothing wrong can be sent to an operation that takes nothing
            except (AssertionError, BaseExceptionGroup) as error:
                wrong.append(f"{operation.label} {mode.value}: {error}")
    assert wrong == [], "\n\n".join(wrong)


def send_all(cases: SearchStrategy[schemathesis.Case], bearer: dict[str, str], ours: ArgsOf) -> None:
    """A few of these requests about rows that are there: no fault of ours, only statuses that the document names.

    ``make requests`` sends more."""
    examples = int(os.environ.get("REQUESTS", "2"))

    @given(cases)
    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def send(case: schemathesis.Case) -> None:
        case.path_parameters.update({name: ours[name] for name in case.path_parameters if name in ours})
        # It asks for gzip and unpacks none.
        case.call_and_validate(headers=bearer | {"Accept-Encoding": "identity"}, checks=CHECKS)

    send()
