"""On the road, in real browsers: a run ends without signal, and an envelope goes from one courier to another."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.cases.visit_word import ComingReason, VisitWord
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from routing.day.couriers import Shift
from tests.dispatch.builders import TEN
from tests.web.conftest import cookie_of
from tests.web.live_server import LiveServer
from tests.web.pages.courier.tuesday import TUESDAY, Day
from web.wiring.accounts import Account


@pytest.fixture
def other_phone(playwright: Playwright, browser: Browser) -> Iterator[BrowserContext]:
    """Another courier's phone."""
    context = browser.new_context(**playwright.devices["Pixel 7"], locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def on_board(day: Day, sessions: sessionmaker[Session]) -> str:
    """The delivery is on board of the courier."""
    with sessions.begin() as session:
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == day.delivery_waybill)).one()
        ref = f"courier:{day.courier.courier_id}"
        parcel.hand_over(to=Holder.COURIER, ref=ref, scan_id="load", at=TEN, by="test", action="load")
    return day.delivery_waybill


def opened(app: Flask, server: LiveServer, context: BrowserContext, account: Account) -> Page:
    context.add_cookies([{"name": "daiban", "value": cookie_of(app, account), "url": server.url}])
    page = context.new_page()
    page.goto(f"{server.url}/run")
    expect(page.locator("html[data-offline=ready]")).to_be_attached()
    return page


def test_a_run_that_ends_without_signal_is_told_when_there_is_one(
    app: Flask, server: LiveServer, phone: BrowserContext, day: Day, sessions: sessionmaker[Session], on_board: str
) -> None:
    page = opened(app, server, phone, day.courier)
    phone.set_offline(True)
    page.get_by_text("今天不能继续：车坏了、身体不适").click()
    page.locator("form.end-run").get_by_label("车辆故障").check()
    page.get_by_label("您现在在哪里").fill("延政路口")
    page.get_by_role("button", name="我的线路到此为止").click()
    expect(page.locator("#chip")).to_contain_text("待发送 1")
    phone.set_offline(False)
    expect(page.locator(".meeting")).to_contain_text("带回中心")
    expect(page.locator(".notice.ended")).to_be_visible()
    expect(page.locator(".meeting .last4").first).to_have_text(on_board[-6:-2])
    with sessions() as session:
        query = select(Shift.out_from_s).where(Shift.courier_id == day.courier.courier_id, Shift.on == TUESDAY)
        assert session.scalars(query).one() is not None


def test_an_envelope_goes_from_one_phone_to_another_though_the_giver_has_no_signal(
    app: Flask, server: LiveServer, phone: BrowserContext, other_phone: BrowserContext, day: Day,
    sessions: sessionmaker[Session], on_board: str,
) -> None:  # fmt: skip
    giver, taker = opened(app, server, phone, day.courier), opened(app, server, other_phone, day.other)
    phone.set_offline(True)
    giver.get_by_text("当面交接给同事").click()
    giver.get_by_label("交给谁").select_option(str(day.other.courier_id))
    giver.locator(f"form.pass input[value={on_board}]").check()
    giver.get_by_role("button", name="勾选的已当面交出").click()
    expect(giver.locator("#chip")).to_contain_text("待发送 1")
    taker.get_by_text("当面交接给同事").click()
    taker.get_by_label("从谁手上接过").select_option(str(day.courier.courier_id))
    taker.get_by_label("邮件号").fill(on_board)
    taker.get_by_role("button", name="这些已当面接过").click()
    expect(taker.locator(".meeting")).to_contain_text("已记，等对方确认")
    phone.set_offline(False)
    expect(giver.locator("#chip")).to_contain_text("已发送")
    with sessions() as session:
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == on_board)).one()
        assert (parcel.holder, parcel.holder_ref) == (Holder.COURIER, f"courier:{day.other.courier_id}")
        assert list(verification.verify(session)) == []


def test_who_waits_is_told_once_there_is_signal_and_the_card_shows_it(
    app: Flask, server: LiveServer, phone: BrowserContext, day: Day, sessions: sessionmaker[Session]
) -> None:
    page = opened(app, server, phone, day.courier)
    phone.set_offline(True)
    page.locator(f'#list li[data-stop="{day.pickup}"] a').click()
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_text("告诉对方：在路上、晚到").click()
    card.get_by_label("大约多久到").select_option("90")
    card.get_by_label("上一站耽搁").check()
    card.get_by_role("button", name="告诉对方", exact=True).click()
    expect(page.locator("#chip")).to_contain_text("待发送 1")
    phone.set_offline(False)
    expect(page.locator("#chip")).to_contain_text("已发送")
    with sessions() as session:
        word = session.scalars(select(VisitWord).where(VisitWord.why.is_not(None))).one()
        assert (word.stop_id, word.why) == (day.pickup, ComingReason.EARLIER_STOP)
        assert word.opens_s >= 11 * 3600
    expect(card.locator("details.coming .hint").first).to_contain_text("上一站耽搁")


def test_the_next_working_day_opens_without_signal(
    app: Flask, server: LiveServer, phone: BrowserContext, day: Day, sessions: sessionmaker[Session]
) -> None:
    page = opened(app, server, phone, day.courier)
    page.wait_for_function("async () => Boolean(await (await caches.open('daiban-run')).match('/run/tomorrow'))")
    phone.set_offline(True)
    page.get_by_role("link", name="下一个工作日的线路").click()
    expect(page.get_by_text("片区当天已约")).to_be_visible()
    page.get_by_role("link", name="线路", exact=False).first.click()
    expect(page.locator("#list h1")).to_be_visible()
