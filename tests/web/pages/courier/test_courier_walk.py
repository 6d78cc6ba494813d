"""A random walk of two couriers with one phone: signal, acts, reloads, kills, sign-outs, plans and faults in any order.

At the end nothing is lost, nothing is doubled, nothing stands in a wrong name, and every refusal has a reader.
``WALK`` is the number of steps, ``WALK_SEED`` the walk; ``make walk`` takes the long one."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.cases.courier_report import CourierReport, ReportState
from dispatch.custody import verification
from notifications import task_publisher
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopEvent, StopKind, StopState
from routing.day.day_plan import DayPlan, PlanState
from routing.day.stops import Address, request_stop
from tests.fixtures.browsers import steadily
from tests.web.conftest import cookie_of, signed_in_client
from tests.web.pages.courier.fault_proxy import FaultProxy, status
from tests.web.pages.courier.tuesday import TUESDAY, Day
from web.wiring.accounts import Account

STEPS = int(os.environ.get("WALK", "45"))
SEED = int(os.environ.get("WALK_SEED", "7"))
OTHER_STOPS = 10
KEPT = "[...document.querySelectorAll('#queue [data-act]')].map((row) => row.dataset.act)"
TO_DO = """[...document.querySelectorAll('#list li[data-stop]')]
  .filter((row) => ['planned', 'arrived'].includes(row.dataset.state)).map((row) => Number(row.dataset.stop))"""
ACT = """({stop, act, code}) => {
  location.hash = `#stop-${stop}`;
  const form = document.querySelector(`#stop-${stop} form.act[data-act="${act}"]`);
  if (!form) return false;
  const boxes = '[name=inspected], [name=identity_checked], [name=found]';
  for (const box of form.querySelectorAll(boxes)) box.checked = true;
  if (form.elements.code) form.elements.code.value = code;
  if (act === 'failed') form.querySelector('[name=reason]').checked = true;
  if (act === 'problem') form.elements.note.value = '门卫不让进';
  form.dataset.warned = '1';
  form.requestSubmit();
  return true;
}"""

UNDO = """() => {
  const button = document.querySelector('#band:not([hidden]) button');
  if (button) location.hash = '#list';
  button?.click();
  return Boolean(button);
}"""
IS_UNDONE = "location.hash.startsWith('#stop-')"
TELL_IDS = """const made = crypto.randomUUID.bind(crypto);
crypto.randomUUID = () => { const id = made(); window.phoneMade(id); return id; };"""


@dataclass
class Walk:
    """The phone, who holds it, what was recorded on it, and what harm is done at the moment."""

    app: Flask
    proxy: FaultProxy
    phone: BrowserContext
    day: Day
    sessions: sessionmaker[Session]
    chance: random.Random
    page: Page
    holder: Account
    is_online: bool = True
    made: dict[int, set[str]] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    """Every id that the phone made, however soon what bears it had left."""
    log: list[str] = field(default_factory=list)

    # -------------------------------------------------------- steps

    def act(self) -> None:
        """Something at one of the stops that the page shows."""
        if not self.is_at_run():
            return
        stops = self.look(TO_DO)
        if not stops:
            return
        stop = self.chance.choice(stops)
        acts = self.look(
            "(n) => [...document.querySelectorAll(`#stop-${n} form.act`)].map((form) => form.dataset.act)", stop
        )
        self.record(stop, self.chance.choice([*acts, *[one for one in acts if one in {"collected", "delivered"}] * 2]))

    def record(self, stop: int, act: str) -> None:
        before = set(self.look(KEPT))
        codes = {self.day.pickup: self.day.pickup_code, self.day.delivery: self.day.delivery_code}
        code = "123123" if self.chance.random() < 0.2 else codes.get(stop, "123123")
        if not self.page.evaluate(ACT, {"stop": stop, "act": act, "code": code}):
            return
        for _ in range(100):
            fresh = set(self.look(KEPT)) - before
            if fresh:
                self.made.setdefault(self.held_by(), set()).update(fresh)
                self.log.append(f"{act} at {stop}: {fresh}")
                return
            time.sleep(0.05)
        raise AssertionError(f"{act} at stop {stop} was not kept: {self.page.locator('#band').text_content()}")

    def undo(self) -> None:
        """The button of the band, while it is there."""
        if not self.is_at_run():
            return
        before = set(self.look(KEPT))
        if not self.page.evaluate(UNDO):
            return
        for _ in range(200):
            if self.look(IS_UNDONE):
                break
            time.sleep(0.05)
        after = set(self.look(KEPT))
        self.undone |= before - after
        self.made.setdefault(self.held_by(), set()).update(after - before)

    def signal(self) -> None:
        self.is_online = not self.is_online
        self.phone.set_offline(not self.is_online)

    def reload(self) -> None:
        """The page again; the login page is no part of what a phone keeps."""
        if not self.is_online and "/run" not in self.page.url:
            return
        steadily(lambda: self.page.reload(wait_until="domcontentloaded"))
        self.settle()

    def kill(self) -> None:
        self.page.close()
        self.page = self.phone.new_page()
        self.open()

    def signed_out(self) -> None:
        """The session ends by itself, as overnight."""
        self.phone.clear_cookies()

    def sign_in(self) -> None:
        self.phone.add_cookies([{"name": "daiban", "value": cookie_of(self.app, self.holder), "url": self.proxy.url}])
        if self.is_online:
            self.open()

    def other_courier(self) -> None:
        """The phone goes to the other one, with signal: nobody can sign in without."""
        if not self.is_online:
            self.signal()
        self.holder = self.day.other if self.holder is self.day.courier else self.day.courier
        self.sign_in()

    def plan_changes(self) -> None:
        """Every stop that is still to be done goes to one of the two."""
        with self.sessions.begin() as session:
            at = db.now(session)
            old = session.scalars(select(DayPlan).where(DayPlan.state == PlanState.COMMITTED)).one()
            old.state = PlanState.SUPERSEDED
            session.flush()
            new = DayPlan(
                division_id=old.division_id, on=TUESDAY, cutoff=old.cutoff, state=PlanState.COMMITTED,
                requested_at=at, committed_at=at, replaces_id=old.id,
            )  # fmt: skip
            session.add(new)
            session.flush()
            runs = [self.run_of(session, new, account) for account in (self.day.courier, self.day.other)]
            routes: list[list[int]] = [[], []]
            for stop in session.scalars(select(CourierStop).where(CourierStop.on == TUESDAY).order_by(CourierStop.id)):
                if stop.run_id is None and stop.state is not StopState.OPEN:
                    continue
                was = session.get(CourierRun, stop.run_id) if stop.run_id else None
                n = int(self.chance.random() < 0.3)
                if was is not None and stop.state not in {StopState.PLANNED, StopState.OPEN}:
                    n = int(was.courier_id == self.day.other.courier_id)
                elif stop.state is StopState.OPEN and stop.retry_of_id is None:
                    stop.state = StopState.PLANNED
                if stop.state is StopState.OPEN:
                    continue
                routes[n].append(stop.id)
                stop.run_id, stop.position, stop.eta_s = runs[n].id, len(routes[n]), 36_000
            new.result = {
                "routes": [
                    {"courier_id": run.courier_id, "visits": [{"stop_id": n} for n in route]}
                    for run, route in zip(runs, routes, strict=True)
                ],
                "unserved": [],
            }

    def run_of(self, session: Session, plan: DayPlan, account: Account) -> CourierRun:
        run = CourierRun(plan_id=plan.id, courier_id=account.courier_id, on=TUESDAY, starts_s=28_800, ends_s=64_800)
        session.add(run)
        session.flush()
        return run

    def fault(self) -> None:
        """For a while the line answers acts, or everything of the API, by itself."""
        code = self.chance.choice([200, 400, 403, 404, 409, 413, 429, 500, 502, 503])
        where = self.chance.choice(["/api/v1/runs/facts", "/api/", "/run"])
        self.proxy.faults[:] = [lambda request: status(code) if request.path.startswith(where) else None]

    def no_fault(self) -> None:
        self.proxy.faults.clear()

    def try_now(self) -> None:
        self.look("window.dispatchEvent(new Event('focus'))")
        time.sleep(0.1)

    # -------------------------------------------------------- around them

    def open(self) -> None:
        self.page.goto(f"{self.proxy.url}/run", wait_until="domcontentloaded")
        self.settle()

    def look(self, script: str, argument: object = None) -> Any:
        """What the page says; asked again where it was just going somewhere by itself."""
        return steadily(lambda: self.page.evaluate(script, argument))

    def settle(self) -> None:
        """The program of the page has begun, where the page is the run's."""
        for _ in range(100):
            if self.look("!document.getElementById('run') || document.documentElement.matches('.js')"):
                break
            time.sleep(0.05)
        time.sleep(0.15)

    def is_at_run(self) -> bool:
        """The run of who holds the phone stands on the page, and nobody else's."""
        shown = self.look("document.getElementById('run')?.dataset.courier")
        return shown is not None and int(shown) == self.holder.courier_id and bool(self.look("!!window.idb"))

    def held_by(self) -> int:
        assert self.holder.courier_id is not None
        return self.holder.courier_id

    def drain(self, account: Account) -> None:
        """Everything that this courier recorded goes out, with signal and without harm."""
        self.holder = account
        self.sign_in()
        if not self.is_at_run():
            self.open()
        for _ in range(120):
            state = self.look("document.getElementById('chip')?.dataset.state")
            kept = set(self.look(KEPT)) if self.is_at_run() else {"?"}
            if state in {"kept", "sent", "held"} and "?" not in kept:
                return
            self.look("window.dispatchEvent(new Event('online'))")
            time.sleep(0.25)
        raise AssertionError(f"still {state}: {self.page.locator('#queue .acts-kept').text_content()}")


STEP: dict[str, tuple[Callable[[Walk], None], int]] = {
    "act": (Walk.act, 12),
    "undo": (Walk.undo, 2),
    "signal": (Walk.signal, 4),
    "reload": (Walk.reload, 2),
    "kill": (Walk.kill, 1),
    "session ends": (Walk.signed_out, 1),
    "sign in": (Walk.sign_in, 2),
    "other courier": (Walk.other_courier, 1),
    "plan": (Walk.plan_changes, 2),
    "fault": (Walk.fault, 2),
    "no fault": (Walk.no_fault, 3),
    "try now": (Walk.try_now, 3),
}


@pytest.fixture
def longer_day(day: Day, sessions: sessionmaker[Session]) -> Day:
    """The day with stops of ordinary mail beside those with papers."""
    with sessions.begin() as session:
        run = session.get_one(CourierRun, day.run_id)
        plan = session.get_one(DayPlan, run.plan_id)
        model = session.get_one(CourierStop, day.pickup)
        for n in range(OTHER_STOPS):
            stop = request_stop(
                session, division_id=model.division_id, on=TUESDAY, kind=StopKind.DELIVERY,
                address=Address(model.lon, model.lat, f"湖塘镇长虹路{n}号", "收件人", "+8613900000000", f"第{n}家"),
                windows=[(32_400, 64_800)], at=db.now(session),
            )  # fmt: skip
            stop.state, stop.run_id, stop.position, stop.eta_s = StopState.PLANNED, run.id, 3 + n, 36_000
        session.flush()
        held = session.scalars(select(CourierStop.id).where(CourierStop.run_id == run.id)).all()
        plan.result = {
            "routes": [{"courier_id": run.courier_id, "visits": [{"stop_id": n} for n in held]}], "unserved": [],
        }  # fmt: skip
    return day


@pytest.mark.timeout(3 * 3600 if STEPS > 200 else 300)
def test_a_random_walk_loses_doubles_and_misnames_nothing(
    app: Flask, phone: BrowserContext, longer_day: Day, sessions: sessionmaker[Session]
):
    app.config["WTF_CSRF_ENABLED"] = True
    task_publisher.use(None)
    proxy = FaultProxy(app)
    walk = Walk(app, proxy, phone, longer_day, sessions, random.Random(SEED), phone.new_page(), longer_day.courier)
    phone.expose_function("phoneMade", lambda made: walk.ids.add(made))
    phone.add_init_script(TELL_IDS)
    walk.page.on("dialog", lambda dialog: dialog.accept())
    walk.sign_in()
    walk.page.wait_for_selector("html[data-offline=ready]", state="attached")
    names = [name for name, (_, weight) in STEP.items() for _ in range(weight)]
    try:
        for n in range(STEPS):
            name = walk.chance.choice(names)
            walk.log.append(f"{n} {name} ({'on' if walk.is_online else 'off'}, {walk.holder.name})")
            STEP[name][0](walk)
        proxy.faults.clear()
        if not walk.is_online:
            walk.signal()
        for account in (longer_day.courier, longer_day.other):
            walk.drain(account)
    except Exception as error:
        error.add_note("\n".join(walk.log[-25:]))
        raise
    finally:
        proxy.close()
    check(walk)


def check(walk: Walk) -> None:
    """What was recorded, and what is there."""
    with walk.sessions() as session:
        rows: list[Any] = [*session.scalars(select(StopEvent)), *session.scalars(select(CourierReport))]
        names = {str(row.event_id): row.courier_id for row in rows}
        waiting = [report for report in rows if isinstance(report, CourierReport) and report.state is ReportState.OPEN]
        assert list(verification.verify(session)) == []
    story = "\n".join(walk.log)
    for courier_id, made in walk.made.items():
        lost = made - walk.undone - set(names)
        assert not lost, f"lost: {lost}\n{story}"
        assert {names[one] for one in made - walk.undone} <= {courier_id}, story
    assert set().union(*walk.made.values()) <= walk.ids, "the walk saw an act that the phone did not make"
    assert set(names) <= walk.ids | derived(rows), f"nobody recorded this\n{story}"
    walk.app.config["WTF_CSRF_ENABLED"] = False
    desk = signed_in_client(walk.app, walk.day.lead).get("/team/couriers").get_data(as_text=True)
    assert all(f'id="report-{report.id}"' in desk for report in waiting), "a refusal without a reader"


def derived(rows: list[Any]) -> set[str]:
    """Reports that the program itself made of an act, such as an envelope found in hand."""
    return {str(row.event_id) for row in rows if isinstance(row, CourierReport) and row.kind.value == "custody"}
