"""Every page of every audience in a real browser, as wide as a phone: no error, no sideways scroll, usable by all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from dispatch.core.actor import Role
from tests.web.conftest import cookie_of
from tests.web.live_server import served
from tests.web.test_scope import ROUTES, client_of, routes, url
from tests.web.world import World, app_over

AXE = Path("web/static/vendor/axe-core/axe.min.js")
FINGER_PX = 44
# A role's own pages; what several may open is looked at as the first of them.
ORDER = (Role.ENTERPRISE, Role.LEAD, Role.COURIER, Role.AGENT, Role.SUPERVISOR, Role.OPERATOR)

SHAPE = """finger => {
  const wrong = [], seen = e => e.getClientRects().length > 0;
  const [wide, room] = [document.documentElement.scrollWidth, document.documentElement.clientWidth];
  if (wide > room + 1) wrong.push(`scrolls sideways: ${wide} px in ${room}`);
  if (!document.title.replace("· 代办通", "").trim()) wrong.push("no title");
  const heads = [...document.querySelectorAll("h1")].filter(seen).length;
  if (heads !== 1) wrong.push(`${heads} main headings`);
  const acts = [...document.querySelectorAll("main :is(button, a.button).main")].filter(seen).length;
  if (acts > 1) wrong.push(`${acts} main acts`);
  if (document.body.classList.contains("phone"))
    for (const e of document.querySelectorAll("main :is(button, a.button, summary, label.tick, input[type=text])"))
      if (seen(e) && e.getBoundingClientRect().height < finger)
        wrong.push(`too small for a finger: ${e.textContent.trim().slice(0, 20)}`);
  return wrong;
}"""
AXE_RUN = """() => axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], resultTypes: ["violations"],
}).then(found => found.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(" "))}`))"""


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a world with something on every page."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"pages_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    """The application behind a real port."""
    with served(app) as address:
        yield address


def pages_of(app: Flask, world: World, role: Role | None) -> list[str]:
    """The addresses of the pages that are looked at as this role; None is a stranger. A part of a page is no page."""
    client = app.test_client() if role is None else client_of(app, world, role)
    found = []
    for line, row in ROUTES.items():
        first = None if row.public else next(r for r in ORDER if r in row.roles)
        if not line.startswith("GET ") or "/api/" in line or first is not role or line not in routes(app):
            continue
        answer = client.get(url(app, line, world.ours), buffered=True)
        if answer.mimetype == "text/html" and answer.status_code == 200 and "<html" in answer.text:
            found.append(answer.request.path)
    return sorted(set(found))


@pytest.mark.parametrize("role", [None, *ORDER], ids=lambda role: role or "stranger")
def test_every_page_is_fit_to_be_shown(app: Flask, address: str, browser: Browser, role: Role | None) -> None:
    world: World = app.extensions["world"]
    context = browser.new_context(  # nothing fades in while it is measured
        viewport={"width": 390, "height": 844}, locale="zh-CN", service_workers="block", reduced_motion="reduce"
    )
    context.set_default_timeout(60_000)
    if role is not None:
        context.add_cookies([{"name": "daiban", "value": cookie_of(app, world.accounts[role]), "url": address}])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    wrong = [f"{path}: {fault}" for path in pages_of(app, world, role) for fault in faults(page, address + path, said)]
    context.close()
    assert wrong == []


def faults(page: Page, where: str, said: list[str]) -> list[str]:
    """What is wrong with one page."""
    said.clear()
    answer = page.goto(where)
    assert answer is not None
    found = [] if answer.status == 200 else [f"answers {answer.status}"]
    found += page.evaluate(SHAPE, FINGER_PX)
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    return found + page.evaluate(AXE_RUN) + said
