"""Who is asking: session cookies for pages, bearer tokens for programs, roles, CSRF, request limits, headers."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask_limiter import Limiter
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

import db
from dispatch.core.actor import Actor, Role
from web.wiring.accounts import Account, AccountError, AccountPlace, AccountState, place_of
from web.wiring.client_marks import browser_name, cookie_name, mark_device
from web.wiring.login_sessions import SignInMeans, account_of_session, begin, end, note_use
from web.wiring.network_line import network_of
from web.wiring.security_log import SecurityKind, record, record_refusal
from web.wiring.tokens import TokenScope, account_of_token, note_token_use
from web.wiring.transactions import READING, keep_facts, transaction

P = ParamSpec("P")
R = TypeVar("R")

logins = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=lambda: network_of(request.remote_addr))
REQUEST_PATIENCE_S = 20.0

HOME = {
    Role.ENTERPRISE: "/my",
    Role.AGENT: "/team",
    Role.LEAD: "/team",
    Role.COURIER: "/run",
    Role.SUPERVISOR: "/team",
    Role.OPERATOR: "/team",
}


def caller() -> str:
    """Whose requests are counted together: a person's or program's account, else who comes by one line."""
    person = current_user
    return f"account:{person.account_id}" if person.is_authenticated else network_of(request.remote_addr)


@dataclass(frozen=True)
class SignedInAccount(UserMixin):
    """The account behind this request, as Flask-Login keeps it: nothing in it touches the database."""

    account_id: int
    name: str
    locale: str
    viewer: Actor
    state: AccountState
    by_token: bool = False
    may_write: bool = True
    session_id: int | None = None
    is_proved: bool = False
    """Whether the person showed to be there a while ago: asked for before what cannot be taken back."""
    owes_factor: bool = False
    secret: str = field(default="", repr=False)

    def get_id(self) -> str:
        return self.secret

    @property
    def home(self) -> str:
        """Where this role's day begins."""
        return "/account/waiting" if self.state is AccountState.WAITING else HOME[self.viewer.role]


def person_of(session: Session, account: Account) -> SignedInAccount:
    """The person and viewer that an account stands for."""
    return _person(account, place_of(session, account))


def _person(account: Account, place: AccountPlace, **more: Any) -> SignedInAccount:
    viewer = Actor(
        role=account.role,
        account_id=account.id,
        name=account.name,
        enterprise_id=account.enterprise_id,
        agent_id=account.agent_id,
        courier_id=account.courier_id,
        division_id=place.division_id,
        division_path=place.path,
        sees_own_only=account.role is Role.ENTERPRISE and account.confirmed_at is None,
    )
    return SignedInAccount(account.id, account.name, account.locale, viewer, account.state, **more)


@logins.user_loader
def from_cookie(stored: str) -> SignedInAccount | None:
    """The person of a session cookie; None once the session has ended, wherever its cookie was copied to."""
    with transaction() as session:
        found = account_of_session(session, stored)
    if found is None:
        return None
    keep_facts(found.facts)
    if found.is_due:
        with suppress(SQLAlchemyError), transaction() as session:  # a full disk or a replica ends no reading
            note_use(session, found.row.id)
    required: frozenset[Role] = current_app.extensions["daiban.settings"].second_factor
    return _person(
        found.account, found.place, session_id=found.row.id, secret=stored, is_proved=found.is_proved,
        owes_factor=found.account.role in required and not found.has_factor,
    )  # fmt: skip


@logins.request_loader
def from_bearer(incoming: Request) -> SignedInAccount | None:
    """The person of a bearer token: at the API alone, and only for what the token is for."""
    plain = bearer_token(incoming)
    if plain is None or not incoming.path.startswith("/api/"):
        return None
    with transaction() as session:
        found = account_of_token(session, plain)
    if found is None:
        return None
    keep_facts(found.facts)
    if found.row.is_use_due(found.read_at):
        with suppress(SQLAlchemyError), transaction() as session:
            note_token_use(session, found.row.id)
    return _person(found.account, found.place, by_token=True, may_write=TokenScope.WRITE in found.row.scopes)


def bearer_token(incoming: Request) -> str | None:
    """The token of ``Authorization: Bearer …``."""
    given = incoming.authorization
    return given.token if given is not None and given.type == "bearer" and given.token else None


def sign_in(person: SignedInAccount, means: SignInMeans) -> None:
    """Begin a session: the old cookie's content is dropped, the language chosen before stays."""
    language = cookie.get("locale")
    cookie.clear()
    if language:
        cookie["locale"] = language
    cookie.permanent = True
    with transaction() as session:
        secret = begin(
            session, session.get_one(Account, person.account_id), means=means, browser=browser_name(),
            network=network_of(request.remote_addr), device=mark_device(),
        )  # fmt: skip
        record(session, SecurityKind.SIGNED_IN, account_id=person.account_id, means=means.value)
    login_user(replace(person, secret=secret))


HALF = "half"  # of a session cookie: who has shown the first factor and not yet the second
HALF_S = 600


def half_sign_in(person: SignedInAccount, means: SignInMeans, epoch: int) -> None:
    """The password or the code by SMS was right, and a second factor is owed; nobody is signed in yet."""
    cookie[HALF] = {
        "account": person.account_id, "epoch": epoch, "means": means.value, "ends": int(time.time()) + HALF_S,
    }  # fmt: skip


def half_signed_in() -> tuple[int, int, SignInMeans] | None:
    """Whose second factor is owed here, the account's epoch then, and what was shown; None for nobody's."""
    half = cookie.get(HALF)
    if not isinstance(half, dict) or half["ends"] < time.time():
        return None
    return half["account"], half["epoch"], SignInMeans(half["means"])


def sign_out() -> None:
    """End the session of this browser, and of every copy of its cookie."""
    if current_user.is_authenticated and current_user.session_id is not None:
        with transaction() as session:
            end(session, session.get_one(Account, current_user.account_id), current_user.session_id)
            record(session, SecurityKind.SIGNED_OUT, account_id=current_user.account_id)
    logout_user()
    cookie.clear()


def current_person() -> SignedInAccount:
    """Who is asking. Raises Unauthorized when nobody has signed in."""
    if not current_user.is_authenticated:
        raise Unauthorized
    return cast(SignedInAccount, current_user._get_current_object())


def current_actor() -> Actor:
    """The first argument of every query. Raises Unauthorized for nobody, Forbidden for an account still waiting."""
    person = current_person()
    if person.state is not AccountState.ACTIVE:
        raise Forbidden("the account waits for approval")
    if person.owes_factor:
        raise FactorOwed("a second factor is required of this role")
    return person.viewer


class FactorOwed(Forbidden):
    """The role has to set up a second factor before anything else."""


class ProofOwed(Forbidden):
    """The person has to show to be there first."""


def proved(view: Callable[P, R]) -> Callable[P, R]:
    """For what cannot be taken back or opens a door: who signed in a while ago shows again to be there."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_person().is_proved:
            raise ProofOwed("show that you are there")
        return view(*args, **kwargs)

    return guarded


def roles(*allowed: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only these roles; for any other the page does not exist."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if current_actor().role not in allowed:
                record_refusal(current_person().account_id, request.endpoint or "")
                raise NotFound
            return view(*args, **kwargs)

        guarded.allowed_roles = frozenset(allowed)  # type: ignore[attr-defined]
        return guarded

    return decorate


signed_in = roles(Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.COURIER, Role.SUPERVISOR, Role.OPERATOR)
enterprise_only = roles(Role.ENTERPRISE)
courier_only = roles(Role.COURIER)
operator_only = roles(Role.OPERATOR)
leads_only = roles(Role.LEAD, Role.OPERATOR)
staff_only = roles(Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)


class TokenMayNot(AccountError):
    """The token is not for this: it may only read, or a person has to do it."""

    user_message = "该令牌没有这项权限：只读令牌不能提交，令牌的增减须本人登录后操作"


def protect_from_forgery() -> None:
    """CSRF for every write that a browser's cookie could carry; a bearer token or a signed hook cannot be forged so.

    Raises TokenMayNot for a token that may only read."""
    if request.method in READING | {"TRACE"}:
        return
    if bearer_token(request) is not None and current_user.is_authenticated and current_user.by_token:
        if not current_user.may_write:
            raise TokenMayNot("the token may only read")
        return
    if not current_app.config["WTF_CSRF_ENABLED"]:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "checks_its_own_signature", False):
        return
    csrf.protect()


def signed_hook(view: Callable[P, R]) -> Callable[P, R]:
    """Marks a hook whose caller is known by a signature, so that no form token is asked for."""
    view.checks_its_own_signature = True  # type: ignore[attr-defined]
    return view


def content_policy(tile_url: str) -> str:
    """The Content-Security-Policy: everything from here, nothing inline; map tiles from where the setting says."""
    tiles = "" if not tile_url else " " + "/".join(tile_url.split("/")[:3]).replace("{s}", "*")
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            f"img-src 'self' data: blob:{tiles}",
            f"connect-src 'self'{tiles}",
            "worker-src 'self' blob:",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def be_impatient() -> None:
    """A request waits for the database as long as a person waits for a page."""
    g.patience = db.PATIENCE_S.set(REQUEST_PATIENCE_S)


def be_patient_again(_error: BaseException | None) -> None:
    """What the thread does next, a job or a command, has the patience that it had."""
    if (before := g.pop("patience", None)) is not None:
        db.PATIENCE_S.reset(before)


def install(app: Flask, *, broker_url: str, limit_requests: bool, over_tls: bool, tile_url: str) -> None:
    """Wire sessions, CSRF, limits and headers into the application."""
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name("daiban", over_tls=over_tls),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=over_tls,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        SHEET_LIMIT="10 per minute; 60 per hour",
        RATELIMIT_ENABLED=limit_requests,
        RATELIMIT_STORAGE_URI=broker_url or "memory://",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1} if broker_url else {},
    )
    app.before_request(be_impatient)
    app.teardown_request(be_patient_again)
    logins.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(protect_from_forgery)
    policy = content_policy(tile_url)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
        if over_tls:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint not in {"static", "openapi.spec"} and getattr(g, "cacheable", False) is False:
            # Personal pages never lie in a shared cache; the courier's service worker keeps its own copy.
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def safe_target(target: str | None) -> str | None:
    """Where to go after signing in: only a path of our own, however a browser or a library reads it."""
    # Both drop tabs and line ends and take a backslash for a slash, after which "/\t/evil" is another host.
    if not target or any(character < " " or character in "\\\x7f" for character in target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    is_ours = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if is_ours else None


def to_proof() -> AnyResponse:
    """Send a browser to show that its person is there, and back to the page it was on."""
    came_from = urlsplit(request.referrer or "")
    page = request.full_path.rstrip("?") if request.method == "GET" else came_from.path
    return redirect(url_for("account.proof", next=safe_target(page) or "/"))


def to_login() -> AnyResponse:
    """Send a browser to the login page and back afterwards."""
    target: dict[str, Any] = {} if request.method != "GET" else {"next": request.full_path.rstrip("?")}
    return redirect(url_for("account.login", **target))
