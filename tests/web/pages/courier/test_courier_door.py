"""The door: what is needed stands above the fold of a small phone, the main act follows the mode, and taps are few."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import StopAct, StopEvent
from tests.web.conftest import cookie_of
from tests.web.live_server import LiveServer
from tests.web.pages.courier.tuesday import Day


@pytest.fixture
def loaded(day: Day, sessions: sessionmaker[Session]) -> None:
    """The delivery is on board, as the load scan and both signatures put it there."""
    with sessions.begin() as session:
        for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == day.delivery)):
            parcel.hand_over(
                to=Holder.COURIER, ref=f"courier:{day.courier.courier_id}", scan_id=f"load:{parcel.waybill}",
                at=parcel.created_at, by="test", action="load",
            )  # fmt: skip


@pytest.fixture(params=[(320, 568), (390, 844)], ids=["320x568", "390x844"])
def page(
    request: pytest.FixtureRequest, app: Flask, server: LiveServer, playwright: Playwright, browser: Browser, day: Day,
    loaded: None,
) -> Iterator[Page]:  # fmt: skip
    """The run on a small and on a common phone."""
    width, height = request.param
    device = {**playwright.devices["Pixel 7"], "viewport": {"width": width, "height": height}}
    context: BrowserContext = browser.new_context(**device, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(30_000)
    context.add_cookies([{"name": "daiban", "value": cookie_of(app, day.courier), "url": server.url}])
    opened = context.new_page()
    opened.goto(f"{server.url}/run")
    expect(opened.locator("html[data-offline=ready]")).to_be_attached(timeout=30_000)
    yield opened
    context.close()


@pytest.mark.parametrize("which", ["pickup", "delivery"])
def test_everything_required_stands_above_the_fold(page: Page, day: Day, which: str):
    stop = getattr(day, which)
    page.evaluate(f"location.hash = '#stop-{stop}'")
    card = page.locator(f"#stop-{stop}")
    bar = card.locator(".act-bar").bounding_box()
    assert bar is not None
    for field in card.locator("form.act [required]:visible").all():
        if field.get_attribute("name") == "note" or field.get_attribute("type") == "radio":
            continue
        box = field.bounding_box()
        assert box is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= bar["y"], (
            f"{field.get_attribute('name')} is below the fold"
        )
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0, "the page scrolls sideways"


def test_the_main_act_is_that_of_the_open_mode(page: Page, day: Day, sessions: sessionmaker[Session]):
    """While 没办成 is open, no 妥投 lies under the thumb."""
    page.evaluate(f"location.hash = '#stop-{day.delivery}'")
    card = page.locator(f"#stop-{day.delivery}")
    place = card.get_by_role("button", name="妥投完成").bounding_box()
    card.get_by_text("没办成", exact=True).click()
    expect(card.get_by_role("button", name="妥投完成")).to_be_hidden()
    instead = card.get_by_role("button", name="记为未办成")
    expect(instead).to_be_visible()
    card.get_by_label("无人在场").check()
    assert place is not None
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(page.locator("#chip")).to_contain_text("已发送")
    with sessions() as session:
        assert [event.act for event in session.scalars(select(StopEvent))] == [StopAct.FAILED]


def test_a_delivery_with_papers_takes_three_taps_from_the_list(page: Page, day: Day, sessions: sessionmaker[Session]):
    """The identity, the code's field, the act; the signature is asked for once and may be left out by one tap more."""
    page.evaluate(f"location.hash = '#stop-{day.delivery}'")
    card = page.locator(f"#stop-{day.delivery}")
    card.get_by_label("已核验收件人身份证件").tap()
    card.get_by_label("验证码").tap()
    page.keyboard.type(day.delivery_code)
    card.get_by_role("button", name="妥投完成").tap()
    expect(page.locator("#band")).to_contain_text("还没有签名")
    card.get_by_role("button", name="妥投完成").tap()
    expect(page.locator("#chip")).to_contain_text("已发送")
    with sessions() as session:
        assert [event.act for event in session.scalars(select(StopEvent))] == [StopAct.DELIVERED]


def test_arriving_is_one_tap_and_the_card_stays(page: Page, day: Day, sessions: sessionmaker[Session]):
    page.evaluate(f"location.hash = '#stop-{day.pickup}'")
    page.locator(f"#stop-{day.pickup}").get_by_role("button", name="我到了").click()
    expect(page.locator("#chip")).to_contain_text("已发送")
    expect(page.locator(f"#stop-{day.pickup}")).to_be_visible()
    with sessions() as session:
        assert [event.act for event in session.scalars(select(StopEvent))] == [StopAct.ARRIVED]


def test_the_decoder_reads_a_waybill(page: Page, day: Day):
    """The decoder that comes along reads the barcode of a waybill."""
    read = page.evaluate(
        """async ([base, drawn]) => {
          const script = document.createElement('script');
          script.src = `${base}vendor/barcode-detector/ponyfill.js`;
          await new Promise((done) => { script.onload = done; document.head.append(script); });
          const locateFile = (name) => `${base}vendor/barcode-detector/${name}`;
          BarcodeDetectionAPI.setZXingModuleOverrides({ locateFile });
          const c = document.createElement('canvas'); c.width = drawn.length * 3 + 120; c.height = 160;
          const x = c.getContext('2d');
          x.fillStyle = '#fff'; x.fillRect(0, 0, c.width, c.height); x.fillStyle = '#000';
          [...drawn].forEach((bar, n) => { if (bar === '1') x.fillRect(60 + n * 3, 20, 3, 120); });
          const found = await new BarcodeDetectionAPI.BarcodeDetector({ formats: ['code_128'] }).detect(c);
          return found.map((one) => one.rawValue);
        }""",
        [page.locator("#chip").get_attribute("data-assets"), code_128(day.delivery_waybill)],
    )
    assert read == [day.delivery_waybill]


BARS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231
113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211
212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131
113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111
314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211
241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141
214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214
211232 2331112
"""
WIDTHS = re.findall(r"\d+", BARS)
"""Bars and gaps of each value of Code 128."""


def code_128(text: str) -> str:
    """The bars of a Code 128 (set B) as 1 and 0."""
    values = [104, *(ord(letter) - 32 for letter in text)]
    values.append((values[0] + sum(n * value for n, value in enumerate(values[1:], start=1))) % 103)
    values.append(106)
    bars = ""
    for value in values:
        for n, width in enumerate(WIDTHS[value]):
            bars += ("0" if n % 2 else "1") * int(width)
    return bars
