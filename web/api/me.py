"""Me: who a token or session belongs to, and the tokens of one's own programs."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from werkzeug.exceptions import NotFound

from dispatch.acts.notice_language import ChooseLanguage, LanguageChosen
from dispatch.core.actor import Role
from web.wiring.accounts import Account
from web.wiring.act_door import command_from, offers, schema_of, take_in
from web.wiring.api_answers import answers
from web.wiring.api_schema import OutModel, Strict, problems
from web.wiring.auth import TokenMayNot, current_person, signed_in
from web.wiring.idempotency import idempotent
from web.wiring.tokens import MOST_DAYS, TOKEN_DAYS, TokenScope, issue_token, revoke_token, tokens_of
from web.wiring.transactions import transaction

bp = APIBlueprint("api_me", __name__, url_prefix="/api/v1", tag="me")


class Me(OutModel):
    """The account behind the request."""

    account_id: int
    name: str
    role: Role
    enterprise_id: int | None
    agent_id: int | None
    courier_id: int | None
    division_id: int | None
    locale: str


class NewToken(Strict):
    """What the token is for, so that it can be told from others later."""

    name: str = Field(min_length=1, max_length=80)
    scopes: list[TokenScope] = Field(default=list(TokenScope), min_length=1, max_length=2)
    days: int = Field(default=TOKEN_DAYS, ge=1, le=MOST_DAYS, description="How long it lives")


class TokenShown(OutModel):
    """A token without its secret."""

    id: int
    name: str
    scopes: list[TokenScope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class TokenMade(Strict):
    """The secret is shown this once."""

    token: str


class Tokens(OutModel):
    """One's own living tokens."""

    items: list[TokenShown]


@bp.get("/me")
@signed_in
@bp.output(Me)
@bp.doc(responses=problems(), security="bearer")
def me() -> dict[str, Any]:
    """Who I am."""
    person = current_person()
    viewer = person.viewer
    return {
        "account_id": person.account_id,
        "name": person.name,
        "role": viewer.role,
        "enterprise_id": viewer.enterprise_id,
        "agent_id": viewer.agent_id,
        "courier_id": viewer.courier_id,
        "division_id": viewer.division_id,
        "locale": person.locale,
    }


@bp.put("/me/language")
@offers(ChooseLanguage)
@bp.input(schema_of(ChooseLanguage), arg_name="body")
@answers(LanguageChosen)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def choose_language(body: Strict) -> LanguageChosen:
    """In which language messages come to my own number."""
    with transaction() as session:
        chosen = take_in(session, command_from(ChooseLanguage, body))
        session.get_one(Account, current_person().account_id).locale = chosen.language
    return chosen


@bp.get("/me/tokens")
@signed_in
@bp.output(Tokens)
@bp.doc(responses=problems(), security="bearer")
def tokens() -> dict[str, Any]:
    """My living tokens."""
    with transaction() as session:
        account = session.get_one(Account, current_person().account_id)
        return {"items": [TokenShown.model_validate(row) for row in tokens_of(session, account)]}


@bp.post("/me/tokens")
@signed_in
@bp.input(NewToken, arg_name="body")
@bp.output(TokenMade, status_code=201)
@bp.doc(responses=problems(422), security="bearer")
def make_token(body: NewToken) -> dict[str, str]:
    """A new bearer token for a program of mine; a program makes none for another."""
    person = current_person()
    if person.by_token:
        raise TokenMayNot("a token makes no tokens")
    with transaction() as session:
        account = session.get_one(Account, person.account_id)
        return {"token": issue_token(session, account, body.name, scopes=body.scopes, days=body.days)}


@bp.delete("/me/tokens/<int:token_id>")
@signed_in
@answers(None, 204)
@bp.doc(responses=problems(404), security="bearer")
def end_token(token_id: int) -> str:
    """Stop one of my tokens."""
    with transaction() as session:
        account = session.get_one(Account, current_person().account_id)
        if not revoke_token(session, account, token_id):
            raise NotFound
    return ""
