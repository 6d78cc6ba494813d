"""The description of the API: every operation can be used from it alone, and real answers are what it says."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dispatch.core.actor import Role
from notifications import task_publisher
from tests.web.api.described import Description
from tests.web.conftest import signed_in_client
from web.app import create_app
from web.wiring.api_answers import answers
from web.wiring.api_description import REQUESTS_A_MINUTE
from web.wiring.settings import Settings


@pytest.fixture
def description(client: FlaskClient) -> Description:
    return Description(client.get("/openapi.json").json)


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an operation takes and answers: where, and its schema and example."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"takes {kind}", content
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            yield f"{status} {kind}", content


def test_every_operation_says_what_it_answers(description: Description) -> None:
    """A good answer has a schema with fields, or is 204; and so has every problem."""
    without = []
    for label, operation in description.operations.items():
        good = [status for status in operation["responses"] if status.startswith("2")]
        if len(good) != 1:
            without.append(f"{label}: {good}")
        for where, content in contents(operation):
            schema = description.resolved(content.get("schema", {}))
            if not ({"properties", "oneOf", "anyOf"} & set(schema)) and schema.get("title") != "NothingMore":
                without.append(f"{label} {where}")
        if good != ["204"] and not any(where.startswith("2") for where, _ in contents(operation)):
            without.append(f"{label} {good}")
    assert without == []


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does(description: Description) -> None:
    ids = [operation["operationId"] for operation in description.operations.values()]
    assert len(ids) == len(set(ids)) > 40
    assert all(operation["summary"] for operation in description.operations.values())


def test_every_operation_names_its_limits_and_languages(description: Description) -> None:
    for label, operation in description.operations.items():
        assert "Retry-After" in operation["responses"]["429"]["headers"], label
        assert str(REQUESTS_A_MINUTE) in operation["responses"]["429"]["description"]
        named = {parameter["name"] for parameter in operation["parameters"]}
        assert "Accept-Language" in named, label


def test_what_may_be_repeated_or_guarded_says_so(description: Description) -> None:
    withdraw = description.operations["POST /api/v1/cases/{case_no}/withdrawal"]
    assert {"Idempotency-Key", "If-Match"} <= {parameter["name"] for parameter in withdraw["parameters"]}
    assert "412" in withdraw["responses"]
    read = description.operations["GET /api/v1/cases/{case_no}"]
    assert "ETag" in read["responses"]["200"]["headers"]


def test_every_example_fits_its_schema(description: Description) -> None:
    wrong, count = [], 0
    for label, operation in description.operations.items():
        for where, content in contents(operation):
            if "json" in where and "problem" not in where:
                count += 1
                wrong += [f"{label} {where}: {one}" for one in description.faults(content, content["example"])]
    assert wrong == []
    assert count > 60


def test_a_refusal_is_in_the_callers_language_and_its_code_is_the_same_in_all(app: Flask, account: Any) -> None:
    client = signed_in_client(app, account(Role.AGENT))
    said = {}
    for language in ("zh", "en"):
        headers = {"Authorization": "Bearer nonsense", "Accept-Language": f"{language}, de;q=0.2"}
        answer = client.get("/api/v1/cases?limit=0&colour=red", headers=headers)
        assert answer.headers["Content-Language"] == language
        said[language] = answer.json
    codes = [[(one["pointer"], one["code"]) for one in body["errors"]] for body in said.values()]
    assert codes[0] == codes[1] == [("/limit", "greater_than_equal"), ("/colour", "extra_forbidden")]
    assert said["zh"]["code"] == said["en"]["code"] == "invalid"
    assert said["zh"]["errors"][1]["message"] == "没有这一项"
    assert said["en"]["errors"][1]["message"] == "There is no such field"
    assert said["en"]["title"].isascii()


def test_a_list_of_many_faults_is_told_whole_and_never_says_what_was_sent(app: Flask, account: Any) -> None:
    client = signed_in_client(app, account(Role.AGENT))
    body = client.post("/api/v1/me/tokens", json={"name": "geheim" * 30, "days": "x"}).json
    assert {one["pointer"] for one in body["errors"]} == {"/name", "/days"}
    assert {one["where"] for one in body["errors"]} == {"body"}
    assert "geheim" not in str(body)


def test_a_description_that_names_two_things_alike_is_refused() -> None:
    """What is answered is told from what another operation answers."""
    with pytest.raises(TypeError):
        answers(dict)


def test_a_wrong_answer_would_be_found(description: Description) -> None:
    """The check of real answers is a check: a field of another type and one that is nowhere described are faults."""
    content = description.content_of("GET", "/api/v1/me", 200)
    right = {
        "account_id": 1, "name": "张三", "role": "lead", "enterprise_id": None, "agent_id": None, "courier_id": None,
        "division_id": 7, "locale": "zh",
    }  # fmt: skip
    assert description.faults(content, right) == []
    assert description.faults(content, right | {"account_id": "1"})
    assert description.faults(content, right | {"colour": "red"})


def test_who_asks_too_often_is_told_when_to_come_back_and_holds_up_nobody_else(
    settings: Settings, account: Any
) -> None:
    """Requests are counted by account, and those of nobody by their line."""
    app = create_app(replace(settings, broker_url="", limit_requests=True))
    task_publisher.use(None)
    stranger, person = app.test_client(), signed_in_client(app, account(Role.LEAD))
    said = [stranger.get("/api/v1/me").status_code for _ in range(REQUESTS_A_MINUTE)]
    assert set(said) == {401}
    refused = stranger.get("/api/v1/me", headers={"Authorization": "Bearer none", "Accept-Language": "en"})
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert person.get("/api/v1/me").status_code == 200
    app.extensions["daiban.sessions"].kw["bind"].dispose()
