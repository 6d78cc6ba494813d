"""Me: who a token or session belongs to, and the tokens of one's own programs."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound

from dispatch.core.actor import Role
from web.wiring.accounts import Account
from web.wiring.api_schema import OutModel, Strict, problems
from web.wiring.auth import current_person, signed_in
from web.wiring.tokens import Token, issue_token, revoke_token
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


class TokenShown(OutModel):
    """A token without its secret."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime


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


@bp.get("/me/tokens")
@signed_in
@bp.output(Tokens)
@bp.doc(responses=problems(), security="bearer")
def tokens() -> dict[str, Any]:
    """My living tokens."""
    with transaction() as session:
        mine = select(Token).where(
            Token.account_id == current_person().account_id,
            Token.revoked_at.is_(None),
            Token.expires_at > func.clock_timestamp(),
        )
        return {"items": [TokenShown.model_validate(row) for row in session.scalars(mine.order_by(Token.id))]}


@bp.post("/me/tokens")
@signed_in
@bp.input(NewToken, arg_name="body")
@bp.output(TokenMade, status_code=201)
@bp.doc(responses=problems(422), security="bearer")
def make_token(body: NewToken) -> dict[str, str]:
    """A new bearer token for a program of mine."""
    with transaction() as session:
        account = session.get_one(Account, current_person().account_id)
        return {"token": issue_token(session, account, body.name)}


@bp.delete("/me/tokens/<int:token_id>")
@signed_in
@bp.output({}, status_code=204)
@bp.doc(responses=problems(404), security="bearer")
def end_token(token_id: int) -> str:
    """Stop one of my tokens."""
    with transaction() as session:
        account = session.get_one(Account, current_person().account_id)
        if not revoke_token(session, account, token_id):
            raise NotFound
    return ""
