"""The receipt as a file: it checks itself in a browser without a network, and says what somebody changed in it."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page

from dispatch.acts.act import perform
from dispatch.acts.witnessing import TakeCosignature, TrustWitness
from dispatch.core.actor import SYSTEM, Role
from dispatch.custody import transparency_log
from dispatch.custody.handover import Holder
from dispatch.custody.signed_note import key_line, log_key
from dispatch.custody.witness import Witness
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, the_county
from tests.dispatch.custody.receipt_verifier import check_receipt, read_note
from tests.web.conftest import signed_in_client
from tests.web.live_server import served
from tests.web.world import app_over
from web.wiring.accounts import Account

EMS = Witness("ems.example/custody", Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application, with an envelope that has gone through three hands and is in the log."""
    folder = tmp_path_factory.mktemp("receipts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"receipts_{os.getpid()}", folder)
        with made.extensions["daiban.sessions"].begin() as session:
            agent = the_county(session).agent_viewer()
            case, _ = a_prescreened_case(the_county(session))
            parcel = steps.hand_in(session, case, by=agent, at=TEN, scan_id="receipt-0")
            for n, (to, ref) in enumerate(((Holder.AUTHORITY, "authority"), (Holder.CENTRE, "")), start=1):
                at = TEN + timedelta(hours=n)
                steps.scan(session, parcel, to=to, ref=ref, scan_id=f"receipt-{n}", by=agent, at=at)
            transparency_log.publish(session, at=TEN + timedelta(hours=4))
            perform(session, TrustWitness(key=EMS.key.line()), SYSTEM)
            newest = transparency_log.latest_checkpoint(session)
            assert newest is not None
            signed, line = EMS.cosign(newest.note, log_key(), seen=None, proof=(), at=TEN + timedelta(hours=5))
            perform(session, TakeCosignature(size=signed.size, line=line), SYSTEM)
            made.extensions["waybill"] = parcel.waybill
            made.extensions["case_no"] = case.case_no
            made.extensions["owner"] = owner = Account(
                role=Role.ENTERPRISE, name="王经理", login="owner", enterprise_id=case.project.enterprise_id,
                confirmed_at=TEN, is_owner=True,
            )  # fmt: skip
            session.add(owner)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture
def enterprise(app: Flask) -> FlaskClient:
    return signed_in_client(app, app.extensions["owner"])


@pytest.fixture
def file(app: Flask, enterprise: FlaskClient) -> str:
    """The file as the enterprise keeps it."""
    answer = enterprise.get(f"/my/parcels/{app.extensions['waybill']}/receipt")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return answer.text


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser without a network."""
    context = browser.new_context(locale="zh-CN", offline=True, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def verdict(page: Page, path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_function("document.getElementById('answer').className.match(/right|wrong/)")
    return page.inner_text("#answer")


def test_the_file_verifies_itself_offline(page: Page, file: str, tmp_path: Path) -> None:
    said = verdict(page, tmp_path / "receipt.html", file)
    assert said.startswith("✓") and said.endswith(EMS.name)
    assert page.locator("tbody tr").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_file_says_what_somebody_changed(page: Page, file: str, tmp_path: Path) -> None:
    changed = file.replace('authority\\",\\"authority', 'authority\\",\\"authoritx')
    assert changed != file
    assert "改动" in verdict(page, tmp_path / "changed.html", changed)
    signed = json.loads(file.partition('id="receipt">')[2].partition("</script>")[0])["checkpoint"].splitlines()[-1]
    blob = signed.split(" ")[2]
    forged = base64.b64encode(base64.b64decode(blob)[:12] + bytes(64)).decode()
    without = "\\n" + json.dumps(f"— {EMS.name} {blob}")[1:-1]
    shown = json.dumps(blob)[1:-1]
    assert shown in file
    assert "见证" in verdict(page, tmp_path / "forged.html", file.replace(shown, forged))
    assert without in file
    assert "还没有见证方" in verdict(page, tmp_path / "alone.html", file.replace(without, ""))
    verdict(page, tmp_path / "changed.html", changed)
    other = key_line().replace("+", "+0", 1)
    page.fill("#key", other)
    page.locator("#key").blur()
    page.wait_for_function("document.getElementById('answer').textContent.includes('公钥')")


def test_programs_get_the_same_and_a_stranger_reads_the_key_and_the_checkpoint(
    app: Flask, enterprise: FlaskClient
) -> None:
    waybill = app.extensions["waybill"]
    receipt = enterprise.get(f"/api/v1/parcels/{waybill}/receipt").json
    check_receipt(receipt, key_line())
    stranger = app.test_client()
    assert key_line() in stranger.get("/custody").text
    note = read_note(stranger.get("/custody/checkpoint").text, key_line())
    assert note.size >= 3
    proof = stranger.get(f"/custody/consistency?first=1&second={note.size}").json
    assert (proof["first"], proof["second"]) == (1, note.size)
    assert stranger.get("/custody/consistency?first=0&second=2").status_code == 422
    assert stranger.get("/custody/consistency").status_code == 400
    assert stranger.get(f"/my/parcels/{waybill}/receipt").status_code in {302, 401}


def test_the_case_offers_the_receipt_once_papers_have_moved(app: Flask, enterprise: FlaskClient) -> None:
    shown = enterprise.get(f"/my/cases/{app.extensions['case_no']}").text
    assert f"/my/parcels/{app.extensions['waybill']}/receipt" in shown


def test_the_page_of_the_log_fits_a_phone_in_both_languages(app: Flask, browser: Browser) -> None:
    """Its checkpoint is one long line, which breaks."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    with served(app) as address:
        page.goto(f"{address}/custody")
        assert page.inner_text("h1") == "原件交接日志"
        page.get_by_text("English").click()
        page.wait_for_selector("h1:text('Log of handovers')")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()
