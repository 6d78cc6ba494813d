"""The frame of the API: OpenAPI, problems, cursors, tokens, idempotency keys."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from apiflask import APIBlueprint
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import BadRequest

from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused, Stale, WrongStage
from web.wiring import cursors
from web.wiring.accounts import Account
from web.wiring.auth import signed_in
from web.wiring.idempotency import idempotent
from web.wiring.tokens import issue_token

SignIn = Callable[..., FlaskClient]


@dataclass(frozen=True)
class Counted:
    """What an act answers, at its smallest."""

    n: int


def test_the_openapi_document_and_its_page_need_nothing_from_elsewhere(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").json
    assert spec["openapi"].startswith("3.")
    assert "/api/v1/me" in spec["paths"]
    assert not [path for path in spec["paths"] if not path.startswith(("/api/v1/", "/hooks/"))]
    for path in ("/docs", "/docs/problems"):
        page = client.get(path)
        assert page.status_code == 200
        assert "//" not in page.text.replace("://", "").replace("<!--", "") or "http" not in page.text


def test_a_stranger_gets_a_problem_and_not_a_page(client: FlaskClient) -> None:
    answer = client.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["type"] == "/docs/problems#sign-in-first"


def test_an_address_that_does_not_exist_is_a_problem_for_programs_and_a_page_for_people(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").json["status"] == 404
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "没有找到" in page.text
    assert client.get("/nothing", headers={"Accept": "application/json"}).content_type == "application/problem+json"


def test_a_program_signs_in_with_its_token_until_the_token_ends(
    client: FlaskClient, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.LEAD)
    with sessions.begin() as session:
        plain = issue_token(session, session.get_one(Account, person.id), "park")
    bearer = {"Authorization": f"Bearer {plain}"}
    assert client.get("/api/v1/me", headers=bearer).json["role"] == "lead"
    listed = client.get("/api/v1/me/tokens", headers=bearer).json["items"]
    assert client.delete(f"/api/v1/me/tokens/{listed[0]['id']}", headers=bearer).status_code == 204
    assert client.get("/api/v1/me", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ('{"name": "a", "colour": "red"}', "application/json", 422),
        ("{}", "application/json", 422),
        ('{"name": ""}', "application/json", 422),
        ("[]", "application/json", 422),
        ("null", "application/json", 422),
    ],
)
def test_a_bad_body_is_told_field_by_field(sign_in_as: SignIn, body: str, content_type: str, status: int) -> None:
    answer = sign_in_as(Role.AGENT).post("/api/v1/me/tokens", data=body, content_type=content_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_a_write_by_cookie_needs_the_form_token_and_a_bearer_does_not(
    app: Flask, account: Callable[..., Account], sessions: sessionmaker[Session], sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.AGENT)
    with sessions.begin() as session:
        plain = issue_token(session, session.get_one(Account, account(Role.LEAD).id), "park")
    app.config["WTF_CSRF_ENABLED"] = True
    assert browser.post("/api/v1/me/tokens", json={"name": "x"}).status_code == 400
    assert browser.post("/logout").status_code == 400
    answer = app.test_client().post("/api/v1/tickets", json={}, headers={"Authorization": f"Bearer {plain}"})
    assert answer.status_code == 422
    forged = browser.post("/api/v1/me/tokens", json={"name": "x"}, headers={"Authorization": "Bearer nonsense"})
    assert forged.status_code == 400


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (NotFound("case 7 is another's"), 404, "not-found"),
        (WrongStage("x"), 409, "wrong-stage"),
        (Stale("x"), 409, "stale"),
        (Refused("x"), 422, "refused"),
        (ZeroDivisionError("secret"), 500, "our-fault"),
    ],
)
def test_each_error_has_one_answer(app: Flask, error: Exception, status: int, slug: str) -> None:
    def fail() -> str:
        raise error

    app.add_url_rule("/api/v1/fail", "fail", fail)
    answer = app.test_client().get("/api/v1/fail")
    assert (answer.status_code, answer.json["type"]) == (status, f"/docs/problems#{slug}")
    assert "another's" not in answer.text
    assert "secret" not in answer.text


def test_what_is_absent_and_what_is_not_yours_read_the_same(app: Flask) -> None:
    def anothers() -> str:
        raise NotFound("case 7 is another's", user_message="他人的办件", case_no="7")

    app.add_url_rule("/api/v1/another", "another", anothers)
    browser = app.test_client()
    assert browser.get("/api/v1/another").data == browser.get("/api/v1/absent").data


# ---------------------------------------------------------------- idempotency


@pytest.fixture
def counted(app: Flask) -> list[int]:
    """A write that counts how often it happened, and fails when told to."""
    happened: list[int] = []
    bp = APIBlueprint("api_counted", __name__, url_prefix="/api/v1")

    @bp.post("/counted")
    @bp.doc(hide=True)
    @signed_in
    @idempotent
    def count() -> tuple[dict[str, int], int, dict[str, str]]:
        happened.append(1)
        if len(happened) == 1 and app.config.get("FAIL_FIRST"):
            raise WrongStage("not yet")
        return {"n": len(happened)}, 201, {"Location": f"/counted/{len(happened)}"}

    app.register_blueprint(bp)
    return happened


def test_a_repeated_write_happens_once_and_gets_the_first_answer(counted: list[int], sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.COURIER)
    answers = [browser.post("/api/v1/counted", json={"a": 1}, headers={"Idempotency-Key": "k1"}) for _ in range(3)]
    assert [a.status_code for a in answers] == [201] * 3
    assert {a.data for a in answers} == {answers[0].data}
    assert {a.location for a in answers} == {"/counted/1"}
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len(counted) == 1


@pytest.mark.parametrize("answer", [Counted(3), (Counted(3), 201), (Counted(3), 201, {"Location": "/counted/3"})])
def test_what_an_act_answers_is_answered_under_a_key_too(app: Flask, sign_in_as: SignIn, answer: object) -> None:
    app.add_url_rule(
        "/api/v1/answered", view_func=signed_in(idempotent(lambda: answer)), endpoint="answered", methods=["POST"]
    )
    browser = sign_in_as(Role.COURIER)
    replies = [browser.post("/api/v1/answered", json={}, headers={"Idempotency-Key": "k2"}) for _ in range(2)]
    assert [reply.json for reply in replies] == [{"n": 3}] * 2
    assert {reply.status_code for reply in replies} == {answer[1] if isinstance(answer, tuple) else 200}


def test_the_same_key_for_another_body_is_refused(counted: list[int], sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.COURIER)
    browser.post("/api/v1/counted", json={"a": 1}, headers={"Idempotency-Key": "k1"})
    assert browser.post("/api/v1/counted", json={"a": 2}, headers={"Idempotency-Key": "k1"}).status_code == 422
    assert len(counted) == 1


def test_a_write_that_failed_may_be_tried_again_under_its_key(
    app: Flask, counted: list[int], sign_in_as: SignIn
) -> None:
    app.config["FAIL_FIRST"] = True
    browser = sign_in_as(Role.COURIER)
    statuses = [
        browser.post("/api/v1/counted", json={}, headers={"Idempotency-Key": "k1"}).status_code for _ in range(3)
    ]
    assert statuses == [409, 201, 201]
    assert len(counted) == 2


def test_two_people_may_use_the_same_key(counted: list[int], sign_in_as: SignIn) -> None:
    for role in (Role.COURIER, Role.AGENT):
        sign_in_as(role).post("/api/v1/counted", json={}, headers={"Idempotency-Key": "k1"})
    assert len(counted) == 2


# ---------------------------------------------------------------- cursors


@given(st.tuples(st.text(), st.integers()))
def test_a_cursor_comes_back_as_it_went(values: tuple[str, int]) -> None:
    assert cursors.decode(cursors.encode(*values), str, int) == values


@given(st.text(min_size=1))
def test_a_word_that_is_not_a_cursor_is_a_bad_request(word: str) -> None:
    with pytest.raises(BadRequest):
        cursors.decode(word + "!", str, int)


def test_the_last_page_has_no_next() -> None:
    assert cursors.page([1, 2, 3], 3, lambda n: (n,)) == ([1, 2, 3], None)
    shown, following = cursors.page([1, 2, 3, 4], 3, lambda n: (n,))
    assert shown == [1, 2, 3]
    assert cursors.decode(following, int) == (3,)
