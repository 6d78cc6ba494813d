"""Errors: one map from what went wrong to what is answered: problem+json for programs, a designed page for people."""

import errno
import math
import time
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from apiflask.exceptions import HTTPError
from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import force_locale, gettext
from flask_limiter.errors import RateLimitExceeded
from flask_login import AnonymousUserMixin, current_user
from flask_wtf.csrf import CSRFError
from psycopg.errors import DiskFull, ReadOnlySqlTransaction
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

import db
from agents.network import UnknownDivision
from dispatch.core.errors import (
    AlreadyHeld,
    BrokenChain,
    DispatchError,
    NoCapacity,
    NotFound,
    Refused,
    Stale,
    WrongStage,
)
from dispatch.core.working_days import CalendarMissing
from routing.day.errors import RunError
from web.wiring.accounts import AccountError
from web.wiring.auth import FactorOwed, ProofOwed, TokenMayNot, limiter, to_login, to_proof
from web.wiring.codes import TooSoon
from web.wiring.field_faults import field_faults
from web.wiring.files import BadUpload
from web.wiring.formatting import LOCALES, in_words
from web.wiring.idempotency import KeyMisused
from web.wiring.isolated import Busy

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """What is answered: a status, a stable slug, a title, what happened, and what to do next."""

    status: int
    slug: str
    title: str
    detail: str
    next_step: str = ""
    errors: object = None
    facts: dict[str, object] | None = None
    headers: dict[str, str] | None = None


# status → slug, title (what happened), what next
WORDS: dict[int, tuple[str, str, str]] = {
    400: ("bad-request", "请求有误", "请检查填写的内容后再提交。"),
    401: ("sign-in-first", "请先登录", "登录后将回到刚才的页面。"),
    403: ("waiting-for-approval", "账号待审核", "请本企业已开通的同事在“本单位人员”中通过您的申请，或到代办窗口核验。"),
    404: ("not-found", "没有找到", "该内容不存在，或者您无权查看。请核对编号，或从首页重新进入。"),
    405: ("method-not-allowed", "不支持这种操作", "请从页面上的按钮进入。"),
    406: ("not-acceptable", "不支持这种格式", "请换一种格式。"),
    409: ("conflict", "未能保存", "请刷新页面，核对最新内容后再操作。"),
    410: ("gone", "已失效", "请重新获取。"),
    412: ("stale", "内容已被修改", "请刷新页面，核对最新内容后再操作。"),
    413: ("too-large", "文件过大", "每个文件不超过10 MB，请压缩后再上传。"),
    415: ("unsupported-media-type", "不支持这种文件", "请上传 PDF、OFD 或图片文件。"),
    422: ("invalid", "填写有误", "请按提示修改后再提交，已填写的内容不会丢失。"),
    428: ("key-needed", "缺少幂等键", "请带上 Idempotency-Key 请求头。"),
    429: ("too-many-requests", "操作过于频繁", "请稍后再试。"),
    500: ("our-fault", "系统出了点问题", "已记录本次错误，请稍后再试；急事请拨打 12345。"),
    503: ("unavailable", "系统暂时无法使用", "请稍后再试，已提交的内容不会丢失；急事请拨打 12345。"),
}

# What next, where a program does something else than a person at a page.
FOR_PROGRAMS: dict[int, str] = {
    401: "请带上 Authorization: Bearer 令牌；令牌在“账号安全”页面生成。",
    405: "该地址不支持这种方法，请见 /openapi.json。",
    409: "请重新读取最新内容后再提交。",
    412: "请重新读取最新内容后再提交。",
    422: "请按 errors 或说明修改后再提交。",
    429: "请按 Retry-After 等待后再试。",
}

PLACES = {"json": "body", "files": "form", "form_and_files": "form"}
"""Where a value stands, as a program reads it."""
SOON = {"Retry-After": "10"}
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
PLAIN = str | int | float | None

# What needs no more words than those of its status.
STATUS_OF: tuple[tuple[tuple[type[Exception], ...], int], ...] = (
    ((NotFound, UnknownDivision, db.ClockIsReal), 404),  # what is absent and what is not yours read the same
    ((DataError, UnicodeEncodeError, OverflowError), 400),  # a number, a day or a character that no row can hold
    ((IntegrityError,), 409),  # somebody else was quicker with the same number, scan or code
)

# What an account's rule is called where it is not the common one.
ACCOUNT: dict[type[AccountError], tuple[int, str, str]] = {TokenMayNot: (403, "token-scope", "令牌权限不足")}

# The rules of the case that were broken, most particular first.
DISPATCH: tuple[tuple[type[DispatchError], int, str], ...] = (
    (NotFound, 404, "not-found"),
    (WrongStage, 409, "wrong-stage"),
    (Stale, 409, "stale"),
    (AlreadyHeld, 409, "already-held"),
    (NoCapacity, 409, "no-capacity"),
    (BrokenChain, 409, "broken-chain"),
    (Refused, 422, "refused"),
    (DispatchError, 409, "conflict"),
)


def of_status(status: int, detail: str = "", **more: object) -> ErrorAnswer:
    """The problem that a plain HTTP status stands for."""
    slug, title, next_step = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    return ErrorAnswer(status, slug, gettext(title), detail, gettext(next_step), **more)  # type: ignore[arg-type]


def of(error: Exception) -> ErrorAnswer:
    """The one answer to an error; anything not known here is a 500 and is logged with its trace."""
    if (later := _unavailable(error) or _too_soon(error)) is not None:
        return later
    for kinds, status in STATUS_OF:
        if isinstance(error, kinds):
            return of_status(status)
    if isinstance(error, DispatchError):
        return _of_dispatch(error)
    if isinstance(error, RunError):
        difference = getattr(error, "difference", None) or None
        return of_status(409, in_words(error.user_message), facts=difference)
    if isinstance(error, CalendarMissing):
        return of_status(503, gettext("还没有%(year)s年的工作日历，请系统管理员导入后再试。", year=error.year))
    if isinstance(error, AccountError):
        status, slug, title = ACCOUNT.get(type(error), (422, "account", "账号操作未完成"))
        return ErrorAnswer(status, slug, gettext(title), in_words(error.user_message), "")
    if isinstance(error, BadUpload):
        return ErrorAnswer(
            422, "bad-file", gettext("文件不能使用"), in_words(error.user_message), gettext("已填写的内容不会丢失。")
        )
    if isinstance(error, KeyMisused):
        return ErrorAnswer(error.status, error.slug, gettext("幂等键不能使用"), gettext(error.user_message))
    if isinstance(error, CSRFError):
        return of_status(400, gettext("页面停留时间过长或已在别处登录，请返回后刷新页面再提交。"))
    if isinstance(error, HTTPError):
        return _of_input(error)
    if isinstance(error, ValidationError):
        return of_status(422, errors=field_faults(error, "body"))
    if isinstance(error, FactorOwed | ProofOwed):
        return ErrorAnswer(403, "second-factor", gettext("请先验证身份"), gettext("请登录网页，按提示完成验证。"), "")
    if isinstance(error, HTTPException):
        return of_status(error.code or 500)
    return of_status(500)


def _of_dispatch(error: DispatchError) -> ErrorAnswer:
    """A rule of the case that was broken, with its facts. An old version is 412 to whoever named it by If-Match."""
    status, slug = next((s, g) for kind, s, g in DISPATCH if isinstance(error, kind))
    if isinstance(error, Stale) and request.if_match:
        status = HTTPStatus.PRECONDITION_FAILED.value
    facts: dict[str, object] = {k: v for k, v in error.facts.items() if isinstance(v, str | int | float | bool | None)}
    _, title, next_step = WORDS[status]
    return ErrorAnswer(
        status, slug, gettext(title), in_words(error.user_message), gettext(next_step), facts=facts or None
    )


def _of_input(error: HTTPError) -> ErrorAnswer:
    """What a body or query breaks, field by field."""
    if not isinstance(error.__cause__, ValidationError):
        return of_status(error.status_code)
    where = next(iter(error.detail), "json") if isinstance(error.detail, dict) else "json"
    return of_status(error.status_code, errors=field_faults(error.__cause__, PLACES.get(where, where)))


def _unavailable(error: Exception) -> ErrorAnswer | None:
    """What is away, full or busy, and comes back by itself; None for any other error."""
    cause = getattr(error, "orig", None)
    if (isinstance(error, OSError) and error.errno in NO_SPACE) or isinstance(cause, DiskFull):
        return of_status(503, gettext("存储空间不足，暂时不能提交；查询不受影响。"), headers=SOON)
    if isinstance(cause, ReadOnlySqlTransaction):
        return of_status(503, gettext("系统正在维护，暂时只能查询。"), headers=SOON)
    if isinstance(error, Busy):
        return of_status(503, gettext("正在处理的文件较多，请稍后再上传。"), headers={"Retry-After": str(error.wait_s)})
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        return of_status(503, headers=SOON)
    return None


def _too_soon(error: Exception) -> ErrorAnswer | None:
    """What may be asked again a little later; None for any other error."""
    if isinstance(error, TooSoon):
        return of_status(429, in_words(error.user_message), headers={"Retry-After": str(error.wait_s)})
    if isinstance(error, RateLimitExceeded):
        return of_status(429, headers={"Retry-After": str(_window_left_s(error))})
    return None


def _window_left_s(error: RateLimitExceeded) -> int:
    """Seconds until the limit that was passed lets somebody in again; its whole period when nothing is known of it."""
    passed = limiter.current_limit
    return error.limit.limit.get_expiry() if passed is None else max(1, math.ceil(passed.reset_at - time.time()))


def wants_json() -> bool:
    """Programs and scripts: anything under /api, or who prefers JSON to a page."""
    if request.path.startswith("/api/") or request.path in {"/openapi.json", "/healthz", "/readyz"}:
        return True
    accepts = request.accept_mimetypes
    return bool(max(accepts["application/json"], accepts["application/problem+json"]) > accepts["text/html"])


Answer = Response | tuple[str, int, dict[str, str]] | AnyResponse


def answer(error: Exception) -> Answer:
    """What the client gets. Nothing of it needs what has failed: of a fault is told without a database."""
    try:
        return _answer(error)
    except Exception as second:  # the words, the person or the page needed the database, which is the very fault
        log.error("an error's page failed", path=request.path, exc_info=second)
        return _fault(second if isinstance(error, HTTPException) else error)


def _answer(error: Exception) -> Answer:
    if isinstance(error, HTTPException) and error.response is not None:
        return error.get_response()
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()
    if not isinstance(error, HTTPException) and is_fault(error):
        return _fault(error)
    problem = of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _fault(error)
    headers = problem.headers or {}
    if wants_json():
        return _as_json(problem)
    if "HX-Request" not in request.headers and (way := _way_in(error)) is not None:
        return way
    template = "errors/fragment.html" if "HX-Request" in request.headers else "errors/page.html"
    return render_template(template, problem=problem, back=_back()), problem.status, headers


def _way_in(error: Exception) -> AnyResponse | None:
    """Where a browser is sent that has to show something first: its person, a second factor, that it is there."""
    if isinstance(error, FactorOwed):
        return redirect(url_for("account.factor"))
    if isinstance(error, ProofOwed):
        return to_proof()
    return to_login() if isinstance(error, HTTPException) and error.code == HTTPStatus.UNAUTHORIZED else None


def _as_json(problem: ErrorAnswer) -> Response:
    slug = problem.slug
    body = {"type": f"/docs/problems#{slug}", "title": problem.title, "status": problem.status, "code": slug}
    next_step = gettext(FOR_PROGRAMS[problem.status]) if problem.status in FOR_PROGRAMS else problem.next_step
    extra = {"detail": problem.detail or next_step, "errors": problem.errors, "facts": problem.facts}
    response = jsonify(body | {name: value for name, value in extra.items() if value})
    response.status_code = problem.status
    response.headers["Content-Type"] = "application/problem+json"
    response.headers.extend(problem.headers or {})
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def is_fault(error: Exception) -> bool:
    """Whether it is our fault or our database's, and not what somebody asked for."""
    told = (
        HTTPError,
        DispatchError,
        RunError,
        KeyMisused,
        AccountError,
        BadUpload,
        TooSoon,
        CalendarMissing,
        ValidationError,
    )
    return not isinstance(error, (*told, *(kind for kinds, _ in STATUS_OF for kind in kinds)))


def _fault(error: Exception) -> Answer:
    """The answer to a fault: who is asking is not looked up, and the language is what the browser says."""
    g._login_user = AnonymousUserMixin()  # Flask-Login's own place: no template asks the database for the person
    chosen = cookie.get("locale") or request.accept_languages.best_match(LOCALES) or "zh"
    with force_locale(LOCALES.get(str(chosen), LOCALES["zh"])):
        problem = of(error)
        log.error("request failed", path=request.path, endpoint=request.endpoint, exc_info=error)
        if wants_json():
            return _as_json(problem)
        template = "errors/fragment.html" if "HX-Request" in request.headers else "errors/fault.html"
        page = render_template(template, problem=problem, lang="en" if chosen == "en" else "zh-CN")
        return page, problem.status, problem.headers or {}


def _back() -> str:
    referrer = request.referrer or ""
    if request.method != "GET" and referrer.startswith(request.host_url) and referrer != request.url:
        return referrer
    return current_user.home if current_user.is_authenticated else "/"


def install(app: Flask) -> None:
    """Every error that leaves a view is answered here, and nowhere else."""
    app.register_error_handler(Exception, answer)
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(HTTPError, answer)
