"""The one path through HTTP: a real server, real workers, a provider's own HTTP, a worker killed on the way.

The same path through flow.py, step by step, stands in tests/dispatch/test_flow.py."""

import os
import re
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from celery import Celery
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Rectification
from dispatch.cases.project import Power
from dispatch.cases.stages import NOTICE, Stage
from dispatch.core.actor import Role
from dispatch.core.shanghai_time import utc
from dispatch.custody import verification
from dispatch.custody.anchors import CustodyAnchor
from notifications.message import Attempt, Message, State
from servers.lifetimes import until
from tests.dispatch.builders import MONDAY, TEN, WUJIN, an_enterprise, make_county, the_county
from tests.fixtures.papers import a_pdf
from tests.fixtures.program import Program
from tests.notifications.provider_server import SID, TOKEN, Behaviour, Provider
from web import run
from web.wiring.accounts import Account
from web.wiring.supervisor import Command
from web.wiring.tokens import issue_token

PATIENCE_S = 120.0  # how long a loaded machine may take over one thing; nothing here waits for a fixed time
PUBLIC = "https://daiban.example"
ENTERPRISE_PHONE = "+8613812345678"
DESK_PHONE = "+8613900009999"
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
NEXT_MONDAY, NEXT_TUESDAY, NEXT_WEDNESDAY = (MONDAY + timedelta(days=n) for n in (7, 8, 9))
A_PDF = a_pdf()


class Client:
    """A program of one person: it has a token and speaks JSON."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url + "/api/v1"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, *, expect: int = 200, **more: Any) -> Any:
        answer = self.http.request(method, self.url + path, timeout=PATIENCE_S, **more)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["Server"] == "daiban"  # and not the program's that serves it
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: object = None, *, expect: int = 200) -> Any:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return self.ask("POST", path, expect=expect, json=body or {}, headers=key)


class Stagehand:
    """What a test does behind the scene: it moves the clock, rings for the schedule, and reads what arrived."""

    def __init__(self, sessions: sessionmaker[Session], broker_url: str, provider: Provider) -> None:
        self.sessions, self.provider = sessions, provider
        self.queue = Celery(broker=broker_url)

    def move_clock(self, on: date, hour: int, minute: int = 0) -> None:
        with self.sessions.begin() as session:
            db.set_clock(session, utc(on, time(hour, minute)))
        self.sweep()

    def sweep(self) -> None:
        """What beat does every few seconds."""
        self.queue.send_task("notifications.sweep", queue="notices-upkeep")

    def arrived(self, to: str, *words: str, times: int = 1) -> list[str]:
        """Wait until so many texts with all these words came to this number; their bodies."""

        def found() -> list[str]:
            return [body for body in self.provider.bodies(to) if all(word in body for word in words)]

        for _ in range(int(PATIENCE_S / 4)):
            if until(lambda: len(found()) >= times, 4):
                return found()
            self.sweep()
        raise AssertionError(f"{words} did not come to {to}; what came: {self.provider.bodies()}")

    def waits_for(self, fact: Callable[[Session], Any]) -> None:
        """Wait until a fact stands in the database."""

        def stands() -> bool:
            with self.sessions() as session:
                return bool(fact(session))

        assert until(stands, PATIENCE_S)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(Behaviour(), public=PUBLIC) as provider:
        yield provider


@pytest.fixture
def theatre(provider: Provider, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Program:
    """The program, not yet started, whose messages to mainland numbers go to the local provider."""
    for name, value in {
        "GATEWAY": "twilio",
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": "+15005550006",
        "TWILIO_BASE_URL": provider.url,
        "PUBLIC_URL": PUBLIC,
    }.items():
        monkeypatch.setenv(name, value)
    program: Program = request.getfixturevalue("program")
    provider.hook = program.url
    return program


def worker(program: Program, name: str, pool: str, queues: tuple[str, ...], folder: Path) -> Command:
    words = ["-m", "celery", "-A", "wsgi:celery", "worker", "-n", f"{name}@%h", "-Q", ",".join(queues)]
    words += ["--pool", pool, "-c", "4", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    return Command(
        name, [sys.executable, *words], log=folder / f"{name}.log", environment=program.environment, folder=run.ROOT
    )


def make_people(session: Session, folder: Path, url: str) -> tuple[dict[Role, Client], str]:
    """The county, its enterprise, and a program with a token for each person; the agent's own number."""
    make_county(session, folder, agents=1, couriers=1)
    county = the_county(session)
    enterprise, _, _ = an_enterprise(session, phone=ENTERPRISE_PHONE)
    accounts = {
        Role.ENTERPRISE: Account(role=Role.ENTERPRISE, name="王经理", enterprise_id=enterprise.id, confirmed_at=TEN),
        Role.LEAD: Account(role=Role.LEAD, name="李组长", division_id=county.division.id),
        Role.AGENT: Account(role=Role.AGENT, name=county.agents[0].name, agent_id=county.agents[0].id),
        Role.COURIER: Account(role=Role.COURIER, name="揽投员1", courier_id=county.couriers[0].id),
    }
    session.add_all(accounts.values())
    session.flush()
    clients = {role: Client(url, issue_token(session, account, "path")) for role, account in accounts.items()}
    return clients, county.agents[0].phone


def planned(lead: Client, jobs: Command, on: date, cutoff: str, stop_id: int) -> None:
    """Ask for a plan, wait for its preview by a worker, look at it, commit it."""
    made = lead.post(
        "/plans", {"area": WUJIN, "date": on.isoformat(), "cutoff": cutoff, "limit": 1}, expect=202
    )  # fmt: skip
    shown: dict[str, Any] = {}

    def is_over() -> bool:
        shown.update(lead.get(f"/plans/{made['id']}"))
        return shown["state"] not in {"queued", "running"}

    assert until(is_over, PATIENCE_S), (shown, jobs.ending(), jobs.last_words())
    assert shown["state"] == "preview", shown
    assert [visit["stop_id"] for route in shown["result"]["routes"] for visit in route["visits"]] == [stop_id]
    assert lead.post(f"/plans/{made['id']}/commit") == {"id": made["id"], "state": "committed", "told": 1, "to_call": 0}


def at_the_door(courier: Client, stop_id: int, act: str, **more: object) -> None:
    """The courier sees the stop on today's run and reports it, twice, as a phone without signal may."""
    stops = [stop for drive in courier.get("/runs/mine")["runs"] for stop in drive["stops"]]
    assert [stop["id"] for stop in stops if stop["to_do"]] == [stop_id]
    assert not [key for stop in stops for key in stop if key in {"code", "project", "project_no"}]
    # Nobody scanned the envelopes into the vehicle: for a delivery the courier says that they are in hand.
    unscanned = [parcel["waybill"] for stop in stops for parcel in stop["parcels"] if act == "delivered"]
    body = {"event_id": str(uuid.uuid4()), "act": act, "found": unscanned, **more}
    first = courier.ask("POST", f"/stops/{stop_id}/events", expect=201, json=body)
    assert courier.ask("POST", f"/stops/{stop_id}/events", expect=201, json=body) == first
    assert first["state"] == "done"


def code_in(body: str) -> str:
    found = re.search(r"码(\d{6})", body)
    assert found, body
    return found.group(1)


def test_a_request_runs_to_its_evaluation_over_http_though_a_worker_is_killed(
    theatre: Program, provider: Provider, sessions: sessionmaker[Session], broker_url: str, tmp_path: Path
) -> None:
    stage = Stagehand(sessions, broker_url, provider)
    notices = worker(theatre, "notices", *run.WORKERS["notices"], tmp_path)
    jobs = worker(theatre, "jobs", "solo", run.WORKERS["jobs"][1], tmp_path)
    theatre.start(jobs, notices, theatre.web)
    with sessions.begin() as session:
        people, agent_phone = make_people(session, tmp_path, theatre.url)
    enterprise, lead, agent, courier = (people[r] for r in (Role.ENTERPRISE, Role.LEAD, Role.AGENT, Role.COURIER))

    def case_is(expected: Stage) -> dict[str, Any]:
        shown: dict[str, Any] = enterprise.get(f"/cases/{case_no}")
        assert shown["stage"] == expected.value
        return shown

    # request: at half past nine in the evening, so nobody's phone rings before eight
    stage.move_clock(MONDAY, 21, 30)
    made = enterprise.post(
        "/projects",
        {
            "name": "精密机床扩产项目", "family": "industrial_permit", "matters": ["IND-104", "IND-105"],
            "site": {"division_code": "320412100000", "lon": 119.96, "lat": 31.72, "address": "湖塘镇人民东路1号"},
        },
        expect=201,
    )  # fmt: skip
    case_no, project_no = made["case_no"], made["project_no"]
    spoken = case_no.replace("-", "")
    case_is(Stage.REQUESTED)
    stage.move_clock(TUESDAY, 8, 30)
    assert made["query_code"] in stage.arrived(ENTERPRISE_PHONE, spoken, "已收到代办申请")[0]

    # assign, sign the letter, give the papers, prescreen
    why = lead.post(f"/projects/{project_no}/assignment", {"mode": "auto"})
    assert why["agent_id"] and why["reason"]
    card = case_is(Stage.ASSIGNED)["agent"]
    stage.arrived(ENTERPRISE_PHONE, spoken, card["name"], card["office_phone"])
    stage.arrived(agent_phone, "精密机床扩产项目")
    person = {"name": "王经理", "phone": ENTERPRISE_PHONE}
    letter = {"legal_representative": "张法人", "powers": [power.value for power in Power], "people": [person]}
    enterprise.post(f"/projects/{project_no}/delegation", {**letter, "valid_to": "2027-06-30"}, expect=201)
    for material in enterprise.get(f"/cases/{case_no}")["materials"]:
        if material["state"] == "wanted" and material["mode"] == "copy":
            enterprise.ask(
                "POST", f"/cases/{case_no}/materials", expect=201, data={"material_id": material["id"]},
                files={"file": ("材料.pdf", A_PDF, "application/pdf")},
            )  # fmt: skip
    stage.move_clock(TUESDAY, 10)
    agent.post(f"/cases/{case_no}/prescreen")
    case_is(Stage.PRESCREENED)
    stage.arrived(ENTERPRISE_PHONE, spoken, "预审已通过")

    # book a pickup, plan and commit the run
    window = {"on": WEDNESDAY.isoformat(), "opens_s": 14 * 3600, "closes_s": 16 * 3600}
    envelope = enterprise.post(f"/cases/{case_no}/parcels", {"leg": "pickup", **window}, expect=201)
    planned(lead, jobs, WEDNESDAY, "PM", envelope["stop_id"])
    case_is(Stage.PICKUP_PLANNED)
    pickup = stage.arrived(ENTERPRISE_PHONE, spoken, "上门揽收", "揽投员1")[0]

    # collect, receive; the worker that sends is killed while the provider has the text of the filing and no answer out
    stage.move_clock(WEDNESDAY, 14, 30)
    at_the_door(courier, envelope["stop_id"], "collected", code=code_in(pickup), inspected=True)
    case_is(Stage.COLLECTED)
    stage.arrived(ENTERPRISE_PHONE, spoken, "已揽收")
    scan = {"to": "centre", "scan_id": "centre-1"}
    agent.ask("POST", f"/parcels/{envelope['waybill']}/handovers", json=scan, expect=201)
    provider.behaviour = Behaviour(delay_s=3600, receipts=())
    reviews = [review["id"] for review in enterprise.get(f"/cases/{case_no}")["reviews"]]
    agent.post(f"/cases/{case_no}/submission", {"receipts": {str(n): f"SL{n}" for n in reviews}})
    case_is(Stage.SUBMITTED)
    stage.arrived(ENTERPRISE_PHONE, spoken, "报送2个事项")
    killed = notices.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert until(lambda: notices.ending() is not None, PATIENCE_S)
    provider.behaviour = Behaviour()
    theatre.start(notices)
    assert notices.pid != killed
    with sessions.begin() as session:  # the dead worker's lease runs out: a minute that nobody has to wait for
        earlier = "lease_until = lease_until - interval '2 minutes', rung_at = rung_at - interval '2 minutes'"
        lapsed = session.execute(text(f"UPDATE message SET {earlier} WHERE state = 'claimed'"))
        assert lapsed.rowcount == 1  # type: ignore[attr-defined]
    stage.sweep()
    stage.waits_for(
        lambda session: session.scalar(
            select(Message.id).where(Message.text_name == NOTICE[Stage.SUBMITTED], Message.state == State.SENT)
        )
    )

    # the day brings its anchor; the authorities accept, and decide
    stage.queue.send_task("web.jobs.day", queue="jobs")
    stage.waits_for(lambda session: session.get(CustodyAnchor, WEDNESDAY))
    stage.move_clock(THURSDAY, 16)
    for n in reviews:
        agent.ask("PATCH", f"/reviews/{n}", json={"step": "accepted", "notice_no": f"受{n}"})
    promise = case_is(Stage.UNDER_REVIEW)["promise"]
    assert promise["committed_due_on"] <= promise["legal_due_on"]
    stage.arrived(ENTERPRISE_PHONE, spoken, "受理，应于", times=2)
    stage.move_clock(NEXT_MONDAY, 9)
    for n in reviews:
        agent.ask("PATCH", f"/reviews/{n}", json={"step": "granted", "notice_no": f"准{n}"})
    assert case_is(Stage.DECIDED)["outcome"] == "granted"
    stage.arrived(ENTERPRISE_PHONE, spoken, "作出决定", times=2)

    # the results go home
    window = {"on": NEXT_TUESDAY.isoformat(), "opens_s": 14 * 3600, "closes_s": 16 * 3600}
    result = enterprise.post(f"/cases/{case_no}/parcels", {"leg": "delivery", **window}, expect=201)
    planned(lead, jobs, NEXT_TUESDAY, "PM", result["stop_id"])
    case_is(Stage.DELIVERY_PLANNED)
    delivery = stage.arrived(ENTERPRISE_PHONE, spoken, "投递码", "王经理")[0]
    stage.move_clock(NEXT_TUESDAY, 14, 30)
    at_the_door(courier, result["stop_id"], "delivered", code=code_in(delivery), identity_checked=True)
    case_is(Stage.DELIVERED)
    stage.arrived(ENTERPRISE_PHONE, spoken, "签收。如非本人")

    # graded, one matter badly: supervision hears of it, the enterprise gets thanks
    stage.move_clock(NEXT_WEDNESDAY, 15)
    grades = [{"review_id": n, "grade": 2 if n == reviews[0] else 5, "words": "窗口等了太久"} for n in reviews]
    enterprise.post(f"/cases/{case_no}/evaluation", {"grades": grades}, expect=201)
    case_is(Stage.EVALUATED)
    stage.arrived(ENTERPRISE_PHONE, spoken, "代办服务已完成")
    stage.arrived(DESK_PHONE, spoken)
    stage.waits_for(lambda session: not session.scalars(select(Message.id).where(Message.state == State.QUEUED)).all())

    with sessions() as session:
        assert list(verification.verify(session)) == []
        assert hands_of(agent, envelope["waybill"]) == ["courier", "centre", "courier", "enterprise"]
        assert hands_of(agent, result["waybill"]) == ["courier", "enterprise"]
        assert session.scalars(select(Rectification)).one().evaluation.review_id == reviews[0]
        case = session.scalars(select(Case).where(Case.case_no == case_no)).one()
        assert [event.stage for event in case.events][-1] is Stage.EVALUATED
        every_text_came_once(session, provider, agent_phone)
        nobody_was_disturbed(session)


def hands_of(client: Client, waybill: str) -> list[str]:
    """Through whose hands a parcel went; the originals go home together with the results."""
    return [link["to"] for link in client.get(f"/parcels/{waybill}/custody")["links"]]


def every_text_came_once(session: Session, provider: Provider, agent_phone: str) -> None:
    """What the outbox holds is what the provider took, each once, in the order of the path."""
    came = Counter((taken.to, taken.body) for taken in provider.taken)
    assert set(came.values()) == {1}, came
    told = [(m.to_phone, m.text_name) for m in session.scalars(select(Message).order_by(Message.id))]
    assert [name for to, name in told if to == ENTERPRISE_PHONE] == [
        "requested", "assigned", "prescreened", "pickup", "collected", "submitted", "accepted", "accepted",
        "decided", "decided", "delivery", "delivered", "closed",
    ]  # fmt: skip
    assert [(to, name) for to, name in told if to != ENTERPRISE_PHONE] == [
        (agent_phone, "project_for_agent"),
        (DESK_PHONE, "bad_grade"),
    ]
    assert sum(came.values()) == len(told)


def nobody_was_disturbed(session: Session) -> None:
    """Never between nine and eight; never more than four different texts, or two alike, to a number within a day."""
    attempts: dict[bytes, list[tuple[datetime, bytes]]] = {}
    for attempt in session.scalars(select(Attempt).order_by(Attempt.at)):
        assert time(8) <= attempt.at.astimezone(db.SHANGHAI).time() < time(21), attempt.at
        attempts.setdefault(attempt.to_hash, []).append((attempt.at, attempt.body_hash))
    assert len(attempts) == 3
    for sent in attempts.values():
        assert all(earlier[0] <= later[0] for earlier, later in pairwise(sent))
        for at, _ in sent:
            day = Counter(body for moment, body in sent if at <= moment < at + timedelta(hours=24))
            assert len(day) <= 4
            assert max(day.values()) <= 2
