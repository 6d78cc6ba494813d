"""Who is asking: session cookies for pages, bearer tokens for programs, roles, CSRF, request limits, headers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Request, Response, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from agents.network import Division
from agents.roster import Agent
from dispatch.core.actor import Actor, Role
from web.wiring.accounts import Account, AccountState
from web.wiring.tokens import account_of_token
from web.wiring.transactions import read_clock, transaction

P = ParamSpec("P")
R = TypeVar("R")

logins = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address)

HOME = {
    Role.ENTERPRISE: "/my",
    Role.AGENT: "/team",
    Role.LEAD: "/team",
    Role.COURIER: "/run",
    Role.SUPERVISOR: "/team",
    Role.OPERATOR: "/team",
}


@dataclass(frozen=True)
class SignedInAccount(UserMixin):
    """The account behind this request, as Flask-Login keeps it: nothing in it touches the database."""

    account_id: int
    epoch: int
    name: str
    locale: str
    viewer: Actor
    state: AccountState
    by_token: bool = field(default=False)

    def get_id(self) -> str:
        return f"{self.account_id}.{self.epoch}"

    @property
    def home(self) -> str:
        """Where this role's day begins."""
        return "/account/waiting" if self.state is AccountState.WAITING else HOME[self.viewer.role]


def person_of(session: Session, account: Account, *, by_token: bool = False) -> SignedInAccount:
    """The person and viewer that an account stands for; an agent's division is the own station."""
    division_id = account.division_id
    if account.agent_id is not None and division_id is None:
        division_id = session.scalar(select(Agent.division_id).where(Agent.id == account.agent_id))
    path = session.scalar(select(Division.path).where(Division.id == division_id)) if division_id else None
    viewer = Actor(
        role=account.role,
        account_id=account.id,
        name=account.name,
        enterprise_id=account.enterprise_id,
        agent_id=account.agent_id,
        courier_id=account.courier_id,
        division_id=division_id,
        division_path=path,
    )
    return SignedInAccount(account.id, account.epoch, account.name, account.locale, viewer, account.state, by_token)


@logins.user_loader
def from_cookie(stored: str) -> SignedInAccount | None:
    """The person of a session cookie; None once the account is closed or was signed out everywhere."""
    number, _, epoch = stored.partition(".")
    if not (number.isdigit() and epoch.isdigit()):
        return None
    with transaction() as session:
        account = session.get(Account, int(number))
        if account is None or account.state is AccountState.CLOSED or account.epoch != int(epoch):
            return None
        read_clock(session)  # every page shows the day: one transaction reads both
        return person_of(session, account)


@logins.request_loader
def from_bearer(incoming: Request) -> SignedInAccount | None:
    """The person of a bearer token."""
    plain = bearer_token(incoming)
    if plain is None:
        return None
    with transaction() as session:
        account = account_of_token(session, plain)
        return person_of(session, account, by_token=True) if account else None


def bearer_token(incoming: Request) -> str | None:
    """The token of ``Authorization: Bearer …``."""
    given = incoming.authorization
    return given.token if given is not None and given.type == "bearer" and given.token else None


def sign_in(person: SignedInAccount) -> None:
    """Begin a session: the old cookie's content is dropped, the language chosen before stays."""
    language = cookie.get("locale")
    cookie.clear()
    if language:
        cookie["locale"] = language
    cookie.permanent = True
    login_user(person)


def sign_out() -> None:
    """End the session of this browser."""
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
    return person.viewer


def roles(*allowed: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only these roles; for any other the page does not exist."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if current_actor().role not in allowed:
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


def protect_from_forgery() -> None:
    """CSRF for every write that a browser's cookie could carry; a bearer token or a signed hook cannot be forged so."""
    if not current_app.config["WTF_CSRF_ENABLED"] or request.method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        return
    if bearer_token(request) is not None and current_user.is_authenticated and current_user.by_token:
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


def install(app: Flask, *, broker_url: str, limit_requests: bool, over_tls: bool, tile_url: str) -> None:
    """Wire sessions, CSRF, limits and headers into the application."""
    app.config.update(
        SESSION_COOKIE_NAME="daiban",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=over_tls,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_ENABLED=limit_requests,
        RATELIMIT_STORAGE_URI=broker_url or "memory://",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1} if broker_url else {},
    )
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
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
        if over_tls:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint not in {"static", "openapi.spec"} and getattr(g, "cacheable", False) is False:
            # Personal pages never lie in a shared cache; the courier's service worker keeps its own copy.
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def safe_target(target: str | None) -> str | None:
    """Where to go after signing in: only a path of our own."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and "\n" not in target:
        return target
    return None


def to_login() -> AnyResponse:
    """Send a browser to the login page and back afterwards."""
    target: dict[str, Any] = {} if request.method != "GET" else {"next": request.full_path.rstrip("?")}
    return redirect(url_for("account.login", **target))
