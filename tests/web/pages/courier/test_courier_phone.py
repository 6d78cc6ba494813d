"""The courier's phone in a real browser: collected and delivered with signal and without, each act sent once."""

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.custody import verification
from dispatch.custody.handover import Handover, Holder
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import StopAct, StopEvent
from tests.web.conftest import cookie_of
from tests.web.live_server import LiveServer
from tests.web.pages.courier.test_courier_proofs import a_picture
from tests.web.pages.courier.tuesday import Day
from web.wiring import files


@pytest.fixture
def page(app: Flask, server: LiveServer, phone: BrowserContext, day: Day) -> Page:
    """Today's run on the courier's phone, kept for when there is no signal."""
    phone.add_cookies([{"name": "daiban", "value": cookie_of(app, day.courier), "url": server.url}])
    page = phone.new_page()
    page.goto(f"{server.url}/run")
    expect(page.locator("html[data-offline=ready]")).to_be_attached()
    return page


def acts(sessions: sessionmaker[Session]) -> list[tuple[int, StopAct]]:
    with sessions() as session:
        return [(e.stop_id, e.act) for e in session.scalars(select(StopEvent).order_by(StopEvent.id))]


def holders(sessions: sessionmaker[Session]) -> dict[str, Holder]:
    with sessions() as session:
        assert list(verification.verify(session)) == []
        return {p.waybill: p.holder for p in session.scalars(select(Parcel))}


def collect(page: Page, day: Day, *, code: str | None = None) -> None:
    page.locator(f"#list a[href='#stop-{day.pickup}']").click()
    card = page.locator(f"#stop-{day.pickup}")
    card.get_by_label("已当面验视").check()
    card.get_by_label("验证码").fill(code or day.pickup_code)
    card.get_by_role("button", name="揽收完成").click()


def deliver(page: Page, day: Day, *, signed: bool = True, photo: bytes | None = None) -> None:
    page.locator(f"#list a[href='#stop-{day.delivery}']").click()
    card = page.locator(f"#stop-{day.delivery}")
    card.get_by_label("已核验收件人身份证件").check()
    for box in card.get_by_label("在我手上").all():
        box.check()
    card.get_by_label("验证码").fill(day.delivery_code)
    if photo is not None:
        picture = {"name": "a.png", "mimeType": "image/png", "buffer": photo}
        card.locator(".proofs input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    if signed:
        sign(page, card)
    card.get_by_role("button", name="妥投完成").click()


def sign(page: Page, card: Locator) -> None:
    canvas = card.locator(".sign canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"] + 20 + 30 * step, box["y"] + 20 + 15 * step)
    page.mouse.up()


def test_a_courier_collects_and_delivers(page: Page, day: Day, sessions: sessionmaker[Session]):
    expect(page.locator("#list .stops.next")).to_contain_text("常州精机有限公司")
    collect(page, day, code="000000" if day.pickup_code != "000000" else "111111")
    expect(page.locator("#band.bad")).to_contain_text("验证码不对")
    expect(page.locator("#chip")).to_contain_text("调度处理")
    collect(page, day)
    expect(page.locator("#chip")).to_contain_text("已发送")
    deliver(page, day)
    expect(page.locator(f"#list li[data-stop='{day.delivery}'] .mark")).to_contain_text("已发送")
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED), (day.delivery, StopAct.DELIVERED)]
    assert holders(sessions)[day.pickup_waybill] is Holder.COURIER
    assert holders(sessions)[day.delivery_waybill] is Holder.ENTERPRISE


def test_ten_seconds_of_undo_give_the_papers_back(page: Page, day: Day, sessions: sessionmaker[Session]):
    collect(page, day)
    expect(page.locator("#chip")).to_contain_text("已发送")
    page.locator("#band").get_by_role("button", name="撤销").click()
    expect(page.locator(f"#stop-{day.pickup}").get_by_role("button", name="揽收完成")).to_be_visible()
    expect(page.locator("#chip")).not_to_contain_text("待发送")
    assert [act for _, act in acts(sessions)] == [StopAct.COLLECTED, StopAct.UNDONE]
    assert holders(sessions)[day.pickup_waybill] is Holder.ENTERPRISE


def test_without_signal_the_day_is_readable_and_acts_wait_and_are_sent_once(
    page: Page, phone: BrowserContext, server: LiveServer, day: Day, sessions: sessionmaker[Session]
):
    server.leave()
    phone.set_offline(True)
    page.reload()
    expect(page.locator("#list .stops.next")).to_contain_text("常州精机有限公司")
    collect(page, day)
    expect(page.locator("#chip")).to_contain_text("待发送 1")
    deliver(page, day)
    expect(page.locator("#chip")).to_contain_text("待发送 2")
    page.reload()
    expect(page.locator("#chip")).to_contain_text("待发送 2")
    expect(page.locator(f"#list li[data-stop='{day.pickup}'] .mark")).to_contain_text("待发送")
    assert acts(sessions) == []
    server.come_back()
    phone.set_offline(False)
    expect(page.locator("#chip")).not_to_contain_text("待发送")
    page.reload()
    expect(page.locator("html[data-offline=ready]")).to_be_attached()
    assert acts(sessions) == [(day.pickup, StopAct.COLLECTED), (day.delivery, StopAct.DELIVERED)]
    assert holders(sessions)[day.delivery_waybill] is Holder.ENTERPRISE


def test_a_photo_and_a_signature_taken_without_signal_are_uploaded_later(
    page: Page, phone: BrowserContext, server: LiveServer, day: Day, sessions: sessionmaker[Session]
):
    server.leave()
    phone.set_offline(True)
    deliver(page, day, photo=a_picture("PNG"))
    expect(page.locator("#chip")).to_contain_text("待发送 1")
    server.come_back()
    phone.set_offline(False)
    expect(page.locator("#chip")).to_contain_text("已发送")
    with sessions() as session:
        event = session.scalars(select(StopEvent)).one()
        links = session.scalars(select(Handover).where(Handover.scan_id == f"{event.event_id}:{day.delivery_waybill}"))
        in_the_chain = set(links.one().proofs)
        assert len(event.proofs) == 3 and len(in_the_chain) == 2
        assert in_the_chain < set(event.proofs), "the photo came after the handover and stands beside it"
        assert sorted(files.path_of(d).suffix for d in event.proofs if files.is_kept(d)) == [".jpg", ".png"]
        assert list(verification.verify(session)) == []


def test_a_signature_that_is_wanted_is_asked_for_once(page: Page, day: Day, sessions: sessionmaker[Session]):
    deliver(page, day, signed=False)
    expect(page.locator("#band.warn")).to_contain_text("还没有签名")
    assert acts(sessions) == []
    page.locator(f"#stop-{day.delivery}").get_by_role("button", name="妥投完成").click()
    expect(page.locator("#chip")).to_contain_text("已发送")
    assert acts(sessions) == [(day.delivery, StopAct.DELIVERED)]


def test_the_end_of_the_shift_leaves_nothing_on_the_phone(page: Page, phone: BrowserContext, server: LiveServer):
    page.get_by_role("button", name="收班").click()
    page.wait_for_url(lambda url: "/run" not in url)
    server.leave()
    phone.set_offline(True)
    page.goto(f"{server.url}/run")
    expect(page.locator("h1")).to_contain_text("本机没有当班数据")
    phone.set_offline(False)
    server.come_back()
