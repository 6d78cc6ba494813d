"""Resources: every blueprint of /api/v1, the OpenAPI document that comes from them, and a page to read it."""

import json
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, Response, render_template, request
from flask_login import current_user

from dispatch.views.webhooks import EXAMPLE
from web.api import (
    agents,
    batches,
    case_messages,
    cases,
    couriers,
    facts,
    me,
    messages,
    obligations,
    parcels,
    places,
    plans,
    projects,
    reviews,
    runs,
    saved_views,
    search,
    tickets,
    webhooks,
)  # fmt: skip
from web.wiring.api_description import REQUESTS_A_MINUTE, complete
from web.wiring.api_schema import Json
from web.wiring.auth import limiter
from web.wiring.errors import DISPATCH, WORDS
from web.wiring.formatting import is_chinese
from web.wiring.network_line import network_of

RESOURCES = (
    projects.bp, batches.bp, cases.bp, facts.bp, parcels.bp, reviews.bp, plans.bp, runs.bp, couriers.bp, agents.bp,
    tickets.bp, messages.bp, places.bp, obligations.bp, search.bp, case_messages.bp, saved_views.bp, me.bp, webhooks.bp,
)  # fmt: skip

docs = Blueprint("docs", __name__)


@docs.get("/docs")
def read() -> str:
    """The API as a page: works without scripts and without the Internet."""
    return render_template("api/docs.html", operations=operations(app_spec()), schemas=schemas(app_spec()))


@docs.get("/docs/problems")
def problem_types() -> str:
    """What each ``type`` of a problem means."""
    rows = {slug: (status, title, next_step) for status, (slug, title, next_step) in WORDS.items()}
    rows |= {slug: (status, kind.user_message, "") for kind, status, slug in DISPATCH if slug not in rows}
    return render_template("api/problems.html", rows=sorted(rows.items(), key=lambda row: (row[1][0], row[0])))


@docs.get("/docs/webhooks")
def webhook_form() -> str:
    """What a program is told, and how it checks that it comes from here."""
    return render_template("api/webhooks.html", example=json.dumps(EXAMPLE, ensure_ascii=False, indent=2))


def app_spec() -> dict[str, Any]:
    """The OpenAPI document of the running application."""
    return _app.spec  # type: ignore[return-value]


def operations(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """One row an operation, by path."""
    return [
        {"path": path, "method": method.upper()} | operation
        for path, methods in sorted(spec["paths"].items())
        for method, operation in methods.items()
        if method in {"get", "post", "patch", "put", "delete"}
    ]


def schemas(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every named schema."""
    return sorted(spec.get("components", {}).get("schemas", {}).items())


def type_words(schema: dict[str, Any]) -> str:
    """A field's type in a few words: string, integer, Case[], one of a | b."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " | ".join(type_words(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"{type_words(schema.get('items', {}))}[]"
    words = str(schema.get("type", "any"))
    return f"{words} ({schema['format']})" if "format" in schema else words


_app: APIFlask


def _who() -> str:
    """Requests are counted by account, whatever line they come over; those of nobody by line."""
    if current_user.is_authenticated:
        return f"account {current_user.account_id}"
    return network_of(request.remote_addr)


def _say_language(response: Response) -> Response:
    response.headers.setdefault("Content-Language", "zh" if is_chinese() else "en")
    response.vary.add("Accept-Language")
    return response


for _blueprint in RESOURCES:
    limiter.limit(f"{REQUESTS_A_MINUTE} per minute", key_func=_who)(_blueprint)
    _blueprint.after_request(_say_language)


def install(app: APIFlask) -> None:
    """Register the resources and describe them."""
    global _app
    _app = app
    app.json = Json(app)
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    app.description = "Free proxy agents and EMS couriers for enterprise investment projects. 代办服务不收费。"
    app.config.update(VALIDATION_ERROR_STATUS_CODE=422, AUTO_VALIDATION_ERROR_RESPONSE=False, AUTO_404_RESPONSE=False)
    app.jinja_env.globals["type_words"] = type_words
    for blueprint in RESOURCES:
        app.register_blueprint(blueprint)
    app.register_blueprint(docs)

    @app.spec_processor
    def make_whole(spec: Any) -> Any:
        complete(app, spec)
        return spec
