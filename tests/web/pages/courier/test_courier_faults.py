"""The courier's phone in a hostile world: each situation by name, a real browser and server, a proxy that does harm.

In every one: nothing that was recorded is lost, nothing is done twice, nothing in a wrong name, and what is not taken
has a reader."""

import re
import time
import uuid
from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.wrappers import Request, Response

from dispatch.cases.courier_report import CourierPhone, CourierReport, ReportState, WhyHeld
from dispatch.custody import verification
from notifications import task_publisher
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopAct, StopEvent
from routing.day.day_plan import DayPlan, PlanState
from tests.web.conftest import cookie_of, signed_in_client
from tests.web.pages.courier.fault_proxy import FaultProxy, on_facts, status
from tests.web.pages.courier.tuesday import TUESDAY, Day
from web.wiring.accounts import Account

KEPT = "() => idb.openDB('daiban-courier').then((db) => db.getAll('sealed'))"


@pytest.fixture
def proxy(app: Flask) -> Iterator[FaultProxy]:
    """The application behind a proxy; forms need their token, as always."""
    app.config["WTF_CSRF_ENABLED"] = True
    task_publisher.use(None)
    running = FaultProxy(app)
    yield running
    running.close()


def sign_in(phone: BrowserContext, app: Flask, proxy: FaultProxy, account: Account) -> None:
    phone.add_cookies([{"name": "daiban", "value": cookie_of(app, account), "url": proxy.url}])


@pytest.fixture
def page(app: Flask, proxy: FaultProxy, phone: BrowserContext, day: Day) -> Page:
    """Today's run on the courier's phone, kept for when there is no signal."""
    sign_in(phone, app, proxy, day.courier)
    page = phone.new_page()
    page.goto(f"{proxy.url}/run")
    expect(page.locator("html[data-offline=ready]")).to_be_attached()
    return page


def collect(page: Page, day: Day, *, code: str | None = None) -> None:
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_label("已当面验视").check()
    card.get_by_label("验证码").fill(code or day.pickup_code)
    card.get_by_role("button", name="揽收完成").click()
    expect(page.locator("#list")).to_be_visible()


def fail(page: Page, stop: int) -> None:
    page.evaluate(f"location.hash = '#stop-{stop}'")
    card = page.locator(f"#stop-{stop}")
    card.get_by_text("没办成", exact=True).first.click()
    card.get_by_label("无人在场").check()
    card.get_by_role("button", name="记为未办成").click()
    expect(page.locator("#list")).to_be_visible()


def try_now(page: Page) -> None:
    """Sends what waits now, when the queue shows it; what went by itself before that waits no more."""
    page.evaluate("location.hash = '#queue'")
    page.wait_for_function(
        """() => {
            const again = document.querySelector("#queue .again");
            if (again) again.click();
            return again || document.querySelector("#chip").dataset.state === "sent";
        }"""
    )


def acts(sessions: sessionmaker[Session]) -> list[tuple[int, StopAct]]:
    with sessions() as session:
        assert list(verification.verify(session)) == []
        return [(e.stop_id, e.act) for e in session.scalars(select(StopEvent).order_by(StopEvent.id))]


def reports(sessions: sessionmaker[Session]) -> list[CourierReport]:
    with sessions() as session:
        return list(session.scalars(select(CourierReport).order_by(CourierReport.id)))


def chip(page: Page, words: str) -> None:
    expect(page.locator("#chip")).to_contain_text(words)


def plan_moves(sessions: sessionmaker[Session], day: Day, *stops: int) -> None:
    """A new plan of now gives these stops to the other courier; the old one, which gave them to this one, is over."""
    with sessions.begin() as session:
        run = session.get_one(CourierRun, day.run_id)
        old = session.get_one(DayPlan, run.plan_id)
        held = [stop.id for stop in session.scalars(select(CourierStop).where(CourierStop.run_id == run.id))]
        old.result = {"routes": [{"courier_id": run.courier_id, "visits": [{"stop_id": n} for n in held]}]}
        old.state, old.committed_at = PlanState.SUPERSEDED, old.requested_at
        session.flush()
        new = DayPlan(
            division_id=old.division_id, on=old.on, cutoff=old.cutoff, state=PlanState.COMMITTED,
            requested_at=old.requested_at, committed_at=old.requested_at, replaces_id=old.id,
        )  # fmt: skip
        session.add(new)
        session.flush()
        for courier_id, its in ((run.courier_id, set(held) - set(stops)), (day.other.courier_id, set(stops))):
            fresh = CourierRun(plan_id=new.id, courier_id=courier_id, on=TUESDAY, starts_s=28_800, ends_s=43_200)
            session.add(fresh)
            session.flush()
            for stop in session.scalars(select(CourierStop).where(CourierStop.id.in_(its))):
                stop.run_id = fresh.id


# ---------------------------------------------------------------- the plan


def test_plan_moved_while_she_had_no_signal(
    page: Page, phone: BrowserContext, day: Day, sessions: sessionmaker[Session]
):
    """The collection, shown by its code, stands; the failed attempt at the other stop goes to the desk."""
    phone.set_offline(True)
    collect(page, day)
    fail(page, day.delivery)
    plan_moves(sessions, day, day.pickup, day.delivery)
    phone.set_offline(False)
    chip(page, "调度处理")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]
    assert [(report.hold_reason, report.stop_id) for report in reports(sessions)] == [
        (WhyHeld.STOP_MOVED, day.delivery)
    ]
    page.evaluate("location.hash = '#queue'")
    expect(page.locator("#queue")).to_contain_text("这一站已改派或退出")


# ---------------------------------------------------------------- sessions and names


def test_cookie_gone_with_a_queue(
    app: Flask, page: Page, phone: BrowserContext, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    phone.set_offline(True)
    collect(page, day)
    phone.clear_cookies()
    phone.set_offline(False)
    chip(page, "请重新登录")
    assert acts(sessions) == []
    page.reload()
    sign_in(phone, app, proxy, day.courier)
    page.goto(f"{proxy.url}/run")
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_form_token_out_of_date(page: Page, day: Day, sessions: sessionmaker[Session], phone: BrowserContext):
    phone.set_offline(True)
    page.evaluate("document.querySelector('meta[name=\"csrf-token\"]').content = 'old'")
    page.reload()
    collect(page, day)
    phone.set_offline(False)
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_another_courier_on_the_same_phone(
    app: Flask, page: Page, phone: BrowserContext, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    """She sees nothing of the first, whose act waits sealed and is sent in the first's name only."""
    phone.set_offline(True)
    collect(page, day)
    sign_in(phone, app, proxy, day.other)
    phone.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(f"#chip[data-courier='{day.other.courier_id}']")).to_be_attached()
    expect(page.locator("#list")).to_contain_text("今天还没有线路")
    page.evaluate("location.hash = '#queue'")
    expect(page.locator("#queue .others")).to_contain_text("1 项是他人的记录")
    kept = page.evaluate(KEPT)
    assert day.pickup_code not in str(kept) and "常州精机" not in str(kept)
    assert acts(sessions) == []
    named = {courier for method, path, courier in proxy.seen if (method, path) == ("POST", "/api/v1/runs/facts")}
    assert named <= {str(day.courier.courier_id)}
    sign_in(phone, app, proxy, day.courier)
    page.goto(f"{proxy.url}/run")
    chip(page, "已发送")
    with sessions() as session:
        event = session.scalars(select(StopEvent)).one()
        assert event.courier_id == day.courier.courier_id


# ---------------------------------------------------------------- answers of the server and of others in between


def test_every_answer_that_is_not_ours_keeps_the_act(
    page: Page, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    proxy.faults.append(on_facts(lambda _: status(502)))
    collect(page, day)
    for code in (403, 404, 409, 413, 429, 500, 503):
        proxy.faults[0] = on_facts(partial(lambda answered, _: status(answered), code))
        try_now(page)
        expect(page.locator("#queue .acts-kept")).to_contain_text(f"（{code}）")
    assert acts(sessions) == []
    chip(page, "发不出 1")
    proxy.faults.clear()
    try_now(page)
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_a_proxys_page_with_status_200_is_no_answer(
    page: Page, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    proxy.faults.append(on_facts(lambda _: status(200, "<html>请先认证上网</html>")))
    collect(page, day)
    chip(page, "待发送 1")
    proxy.faults.clear()
    try_now(page)
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_one_act_that_does_not_pass_does_not_hold_the_others(
    page: Page, phone: BrowserContext, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    proxy.faults.append(on_facts(lambda request: status(500) if b"collected" in request.get_data() else None))
    phone.set_offline(True)
    collect(page, day)
    fail(page, day.delivery)
    phone.set_offline(False)
    chip(page, "待发送 1")
    assert acts(sessions) == [(day.delivery, StopAct.FAILED)]
    proxy.faults.clear()
    try_now(page)
    chip(page, "已发送")
    assert acts(sessions) == [(day.delivery, StopAct.FAILED), (day.pickup, StopAct.COLLECTED)]


def test_the_answer_is_lost_and_the_act_is_sent_again(
    app: Flask, page: Page, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    """The server took it, the line broke before the answer: the second time is the same event."""

    def swallow(request: Request) -> Response:
        Response.from_app(app.wsgi_app, request.environ, buffered=True)
        return status(502)

    proxy.faults.append(on_facts(swallow))
    collect(page, day)
    try_now(page)
    expect(page.locator("#queue .acts-kept")).to_contain_text("（502）")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]
    proxy.faults.clear()
    try_now(page)
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_a_wrong_code_without_signal(page: Page, phone: BrowserContext, day: Day, sessions: sessionmaker[Session]):
    """Not checked yet is said; later it has a reader, and the right code settles it."""
    phone.set_offline(True)
    collect(page, day, code="000000" if day.pickup_code != "000000" else "111111")
    expect(page.locator("#band")).to_contain_text("验证码还没有核对")
    expect(page.locator(f"#list li[data-stop='{day.pickup}'] .mark")).to_contain_text("码未核")
    phone.set_offline(False)
    chip(page, "调度处理 1")
    assert [report.hold_reason for report in reports(sessions)] == [WhyHeld.WRONG_CODE]
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    expect(page.locator(f"#stop-{day.pickup} .refused")).to_contain_text("验证码不对")
    expect(page.locator(f"#stop-{day.pickup}").get_by_label("已当面验视")).to_be_checked()
    collect(page, day)
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]
    assert [report.state for report in reports(sessions)] == [ReportState.OVERTAKEN]


# ---------------------------------------------------------------- the phone itself


def test_killed_browser_and_reload_keep_the_queue(
    page: Page, phone: BrowserContext, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    phone.set_offline(True)
    collect(page, day)
    page.close()
    again = phone.new_page()
    again.goto(f"{proxy.url}/run")
    chip(again, "待发送 1")
    expect(again.locator(".progress-line b")).to_have_text("1")
    phone.set_offline(False)
    chip(again, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_no_room_on_the_phone_is_said_and_the_act_is_sent(page: Page, day: Day, sessions: sessionmaker[Session]):
    page.evaluate(
        "() => { IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_label("已当面验视").check()
    card.get_by_label("验证码").fill(day.pickup_code)
    card.get_by_role("button", name="揽收完成").click()
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_no_room_and_no_signal_keeps_what_was_typed(page: Page, phone: BrowserContext, day: Day):
    page.evaluate(
        "() => { IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    phone.set_offline(True)
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_label("已当面验视").check()
    card.get_by_label("验证码").fill(day.pickup_code)
    card.get_by_role("button", name="揽收完成").click()
    expect(page.locator("#band.bad")).to_contain_text("不要关闭页面")
    expect(card.get_by_label("验证码")).to_have_value(day.pickup_code)
    chip(page, "待发送 1")


def test_an_update_while_a_queue_waits(
    page: Page, phone: BrowserContext, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    """Page and scripts are of one version before and after, and the new version sends what the old one kept."""
    old = page.locator("#chip").get_attribute("data-program") or ""
    new = "feedfacecafe"
    proxy.faults.append(on_facts(lambda _: status(503)))
    collect(page, day)
    chip(page, "待发送 1")
    serve_as(proxy, old, new)
    page.reload()
    expect(page.locator(f"#chip[data-program='{new}']")).to_be_attached()
    scripts = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [name for name in scripts if f"/assets/{old}/" in name]
    chip(page, "1")
    proxy.faults[:] = [fault for fault in proxy.faults if fault is not proxy.faults[0]]
    try_now(page)
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def serve_as(proxy: FaultProxy, old: str, new: str) -> None:
    """From now on the program calls itself by another version, in pages, headers, the worker and addresses."""
    was_called = proxy.app.wsgi_app

    def renamed(environ, start_response):  # type: ignore[no-untyped-def]
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # what is packed cannot be renamed
        environ["PATH_INFO"] = environ["PATH_INFO"].replace(f"/assets/{new}/", f"/assets/{old}/")
        answer = Response.from_app(was_called, environ, buffered=True)
        answer.direct_passthrough = False
        answer.set_data(answer.get_data().replace(old.encode(), new.encode()))
        if "X-Program" in answer.headers:
            answer.headers["X-Program"] = new
        return answer(environ, start_response)

    proxy.app.wsgi_app = renamed  # type: ignore[method-assign]


@pytest.mark.parametrize("skew_min", [-45, 45])
def test_a_clock_that_is_off(
    skew_min: int, app: Flask, proxy: FaultProxy, phone: BrowserContext, day: Day, sessions: sessionmaker[Session]
):
    """Windows follow the server's clock, the fact has the corrected time, and a lead sees the skew."""
    phone.add_init_script(
        f"""{{ const real = Date, skew = {skew_min} * 60e3;
        globalThis.Date = class extends real {{
          constructor(...given) {{ given.length ? super(...given) : super(real.now() + skew); }}
          static now() {{ return real.now() + skew; }} }}; }}"""
    )
    sign_in(phone, app, proxy, day.courier)
    page = phone.new_page()
    page.goto(f"{proxy.url}/run")
    expect(page.locator("html[data-offline=ready]")).to_be_attached()
    left = page.locator("#list .stops.next .left")
    expect(left).to_have_text(re.compile(r"还剩 (5\d|60) 分钟"))
    collect(page, day)
    chip(page, "已发送")
    with sessions() as session:
        event = session.scalars(select(StopEvent)).one()
        assert abs((event.recorded_at - event.at).total_seconds()) < 60
        assert event.device_at is not None
        assert round((event.device_at - event.recorded_at).total_seconds() / 60) == pytest.approx(skew_min, abs=1)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#chip")).to_contain_text("已")
    for _ in range(240):
        with sessions() as session:
            told = session.scalars(select(CourierPhone.skew_s)).all()
        if told:
            break
        page.wait_for_timeout(250)
    assert told == [pytest.approx(skew_min * 60, abs=60)]


def test_a_photo_that_cannot_be_opened_spoils_nothing(page: Page, day: Day, sessions: sessionmaker[Session]):
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_label("已当面验视").check()
    card.get_by_label("验证码").fill(day.pickup_code)
    heic = {"name": "a.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic" + bytes(200)}
    card.locator(".proofs input[type=file]").set_input_files(heic)  # type: ignore[arg-type]
    expect(page.locator("#band.bad")).to_contain_text("照片打不开")
    expect(card.get_by_label("验证码")).to_have_value(day.pickup_code)
    card.get_by_role("button", name="揽收完成").click()
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_a_photo_on_a_line_that_breaks_goes_on_where_it_stopped(
    page: Page, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    """The fact is in at once; of the photo every second part is torn, and no part is sent twice from the beginning."""
    parts: list[int] = []

    def every_second(request: Request) -> Response | None:
        if request.method != "PUT":
            return None
        parts.append(int(request.args["offset"]))
        return status(502) if len(parts) % 2 == 0 else None

    proxy.faults.append(every_second)
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_label("已当面验视").check()
    card.get_by_label("验证码").fill(day.pickup_code)
    noisy = page.evaluate(
        """async () => { const c = document.createElement('canvas'); c.width = c.height = 700;
        const x = c.getContext('2d'), d = x.createImageData(700, 700);
        for (let i = 0; i < d.data.length; i += 1) d.data[i] = i % 4 === 3 ? 255 : (i * 7919) % 251;
        x.putImageData(d, 0, 0);
        const b = await new Promise((done) => c.toBlob(done, 'image/jpeg', 0.95));
        return [...new Uint8Array(await b.arrayBuffer())]; }"""
    )
    picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": bytes(noisy)}
    card.locator(".proofs input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    card.get_by_role("button", name="揽收完成").click()
    expect(page.locator("#list")).to_be_visible()
    chip(page, "照片待发")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]
    for _ in range(240):
        page.evaluate("window.dispatchEvent(new Event('online'))")
        page.wait_for_timeout(250)
        if "照片" not in (page.locator("#chip").text_content() or ""):
            break
    with sessions() as session:
        assert len(session.scalars(select(StopEvent)).one().proofs) == 2
    taken = [offset for n, offset in enumerate(parts, start=1) if n % 2]
    assert taken == sorted(set(taken)), "what arrived is not sent again"


# ---------------------------------------------------------------- words have readers, and answers come back


def test_the_dispatchers_answer_comes_back_to_the_phone(
    app: Flask, page: Page, day: Day, sessions: sessionmaker[Session]
):
    page.get_by_text("告诉调度：车辆、晚点、件不符").click()
    page.get_by_label("情况", exact=True).fill("电动车没电了")
    page.get_by_role("button", name="发给调度").first.click()
    chip(page, "已发送")
    (said,) = reports(sessions)
    assert (said.note, said.courier_id) == ("电动车没电了", day.courier.courier_id)
    app.config["WTF_CSRF_ENABLED"] = False
    lead = signed_in_client(app, day.lead)
    assert "电动车没电了" in lead.get("/team/couriers").get_data(as_text=True)
    answered = lead.post(
        f"/team/couriers/reports/{said.id}",
        data={"decision": "answer", "words": "原地等，派车来接", "client_id": str(uuid.uuid4())},
    )
    assert answered.status_code == 302
    app.config["WTF_CSRF_ENABLED"] = True
    page.reload()
    expect(page.locator("#list .answers")).to_contain_text("原地等，派车来接")
    page.locator("#list .answers").get_by_role("button", name="知道了").click()
    chip(page, "已发送")
    assert reports(sessions)[0].seen_at is not None


def test_signing_out_with_a_queue_asks_and_keeps_it(
    app: Flask, page: Page, phone: BrowserContext, proxy: FaultProxy, day: Day, sessions: sessionmaker[Session]
):
    proxy.faults.append(on_facts(lambda _: status(500)))
    collect(page, day)
    chip(page, "待发送 1")
    page.get_by_role("button", name="收班").click()
    expect(page.locator("#band.bad")).to_contain_text("再按一次仍要退出")
    page.get_by_role("button", name="收班").click()
    page.wait_for_url(lambda url: "/run" not in url)
    proxy.faults.clear()
    sign_in(phone, app, proxy, day.courier)
    page.goto(f"{proxy.url}/run")
    chip(page, "已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED)]


def test_without_signal_signing_out_says_so(page: Page, phone: BrowserContext):
    phone.set_offline(True)
    page.get_by_role("button", name="收班").click()
    expect(page.locator("#band.bad")).to_contain_text("现在不能退出")


def test_the_second_half_of_the_product_without_signal(page: Page, phone: BrowserContext, proxy: FaultProxy):
    """The load that was open once opens again; a page that was not says why."""
    page.goto(f"{proxy.url}/run/load")
    expect(page.locator("h1")).to_contain_text("装车核对")
    phone.set_offline(True)
    page.goto(f"{proxy.url}/run")
    page.goto(f"{proxy.url}/run/load")
    expect(page.locator("h1")).to_contain_text("装车核对")


def test_a_slow_server_shows_the_kept_page(page: Page, proxy: FaultProxy, phone: BrowserContext):
    proxy.faults.append(lambda request: slow() if request.path == "/run" else None)
    page.reload()
    expect(page.locator("#list .stops.next")).to_contain_text("常州精机有限公司")
    proxy.faults.clear()


def slow() -> None:
    """Longer than the phone waits."""
    time.sleep(6)
