"""Templates read only what their values have: each one is rendered strictly, with values of its own type."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from jinja2 import StrictUndefined, UndefinedError, nodes

import web
from dispatch.acts.handover_lists import LeftEnvelope
from dispatch.cases.evaluation import GRADE_LABEL, Grade
from dispatch.cases.project import Enterprise
from dispatch.core.actor import Role
from dispatch.views.custody_receipt import CustodyReceipt
from dispatch.views.enterprise_case import EnterpriseCasePage
from dispatch.views.enterprise_papers import LegRow
from dispatch.views.enterprise_projects import EnterpriseProjectPage
from dispatch.views.project_batches import BatchPage
from dispatch.views.track import Tracked
from tests.web.test_scope import ROUTES, client_of, routes, url
from tests.web.typed_values import a_value
from tests.web.world import World, app_over
from web.pages.enterprise.legs import LegForm, SlotForm
from web.pages.enterprise.questions import LetterForm
from web.pages.enterprise.receipts import ReceiptRow
from web.wiring.errors import ErrorAnswer

TEMPLATES = Path(web.__file__).parent / "templates"
LETTER = {
    "legal_representative": "张法人", "valid_to": "2027-06-30", "submit": "y", "correct": "y", "receive": "y",
    "consent": "y", "name1": "王经理", "phone1": "13812345678", "out1": "on", "in1": "on",
}  # fmt: skip
INTAKE: dict[str, dict[str, Any]] = {
    "project": {"family": "industrial_permit", "name": "精密机床扩产项目", "state_secret": "no"},
    "site": {"county": "320412000000", "place": "320412100000", "address": "人民东路",
             "lon": "119.96", "lat": "31.72"},
    "facts": {"land": "granted", "initiation": "filing", "eia": "form", "site_ha": "2", "discharge": "simplified"},
    "matters": {"matter": ["IND-104", "IND-105"]},
    "papers": {},
    "ways": {"pickup": "courier", "delivery": "courier"},
    "letter": LETTER,
}  # fmt: skip


def a_case() -> EnterpriseCasePage:
    """A case with something in every field."""
    page: EnterpriseCasePage = a_value(EnterpriseCasePage)
    return page


# What no page of the world shows by itself: the page's own type, filled in.
BY_HAND: dict[str, Callable[[], dict[str, Any]]] = {
    "account/waiting.html": dict,
    "account/second_step.html": lambda: {"wrong": ""},
    "courier/order.html": lambda: {"stop_id": 1, "broken": [("某公司", "09:10", "09:00")]},
    "enterprise/case.html": lambda: {"case": a_case(), "tickets": []},
    "enterprise/receipt.html": lambda: {
        "receipt": a_value(CustodyReceipt), "receipt_json": {}, "words": {}, "is_chinese": True, "script": "",
        "rows": [a_value(ReceiptRow)],
    },
    "enterprise/evaluate.html": lambda: {
        "case": a_case(), "form": SlotForm(), "typed": {1: ""}, "said": {1: ""},
        "labels": [(grade.value, GRADE_LABEL[grade]) for grade in Grade],
    },
    "enterprise/leg.html": lambda: {"case": a_case(), "form": a_form(LegForm), "days": [], "inward": True},
    "enterprise/letter.html": lambda: {
        "project": a_value(EnterpriseProjectPage), "form": LetterForm(), "people": [], "wrong": [],
        "enterprise": Enterprise(name="某公司", credit_code=None), "names": []
    },
    "enterprise/batch_letter.html": lambda: {
        "page": a_value(BatchPage), "form": LetterForm(), "people": [], "wrong": [],
        "enterprise": Enterprise(name="某公司", credit_code=None), "names": []
    },
    "courier/load_ask.html": lambda: {"run_id": 1, "taken": ["EA1"], "left": [LeftEnvelope("EA2", "厂门")]},
    "enterprise/reschedule.html": lambda: {
        "case": a_case(), "leg": a_value(LegRow), "form": a_form(SlotForm), "days": []
    },
    "errors/fault.html": lambda: {"problem": a_value(ErrorAnswer), "lang": "en"},
    "errors/fragment.html": lambda: {"problem": a_value(ErrorAnswer)},
    "errors/page.html": lambda: {"problem": a_value(ErrorAnswer), "back": "/"},
    "team/no_calendar.html": lambda: {"year": 2031},
    "track/case.html": lambda: {"case": a_value(Tracked)},
}  # fmt: skip


def a_form(kind: type[Any]) -> Any:
    """A form whose choices are there, and none is chosen."""
    form = kind()
    for field in form:
        if hasattr(field, "choices"):
            field.choices = []
    return form


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a world with something on every page."""
    folder = tmp_path_factory.mktemp("templates")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"templates_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


def walk(app: Flask, role: Role | None) -> list[str]:
    """Open every page of a role (None: of a stranger); what failed."""
    world: World = app.extensions["world"]
    client = app.test_client() if role is None else client_of(app, world, role)
    failed = []
    for line in routes(app):
        row = ROUTES[line]
        if not line.startswith("GET ") or "/api/" in line or not (row.public if role is None else role in row.roles):
            continue
        with client.get(url(app, line, world.ours)) as answer:
            if answer.status_code >= 500 and not line.endswith("readyz"):
                failed.append(f"{line}: {answer.status_code}")
    return failed


def test_every_template_is_rendered_and_reads_only_what_it_is_given(app: Flask) -> None:
    roles = [None, *(role for role in Role if role is not Role.SYSTEM)]
    assert [fault for role in roles for fault in walk(app, role)] == []
    client = client_of(app, app.extensions["world"], Role.ENTERPRISE)
    assert client.post("/my/intake").status_code == 302
    for step, typed in INTAKE.items():
        assert client.get(f"/my/intake/{step}").status_code == 200
        assert client.post(f"/my/intake/{step}", data=typed).status_code == 302
    assert client.get("/my/intake/review").status_code == 200
    assert app.test_client().get("/guide/needs?family=business_opening").status_code == 200
    for name, values in BY_HAND.items():
        with app.test_request_context("/"):
            assert render_template(name, **values())
    assert app.jinja_env.cache is not None
    seen = {name for _, name in app.jinja_env.cache.keys()}  # noqa: SIM118 - jinja's cache is no dict
    assert (
        sorted(
            str(file.relative_to(TEMPLATES))
            for file in TEMPLATES.rglob("*.html")
            if str(file.relative_to(TEMPLATES)) not in seen
        )
        == []
    )


def test_a_field_that_a_view_lacks_fails(app: Flask) -> None:
    assert app.jinja_env.undefined is StrictUndefined
    with app.test_request_context("/"), pytest.raises(UndefinedError):
        app.jinja_env.from_string("{{ case.no_such_field }}").render(case=a_case())


def test_every_choice_in_a_template_says_what_else(app: Flask) -> None:
    for file in sorted(TEMPLATES.rglob("*.html")):
        choices = app.jinja_env.parse(file.read_text(encoding="utf-8")).find_all(nodes.CondExpr)
        assert [one.lineno for one in choices if one.expr2 is None] == [], file.name
