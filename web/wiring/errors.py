"""Errors: one map from what went wrong to what is answered: problem+json for programs, a designed page for people."""

from dataclasses import dataclass
from http import HTTPStatus

import structlog
from apiflask.exceptions import HTTPError
from flask import Flask, Response, jsonify, render_template, request
from flask_babel import gettext
from flask_limiter.errors import RateLimitExceeded
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
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
from web.wiring.auth import to_login
from web.wiring.codes import TooSoon
from web.wiring.files import BadUpload
from web.wiring.formatting import in_words

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
    403: ("waiting-for-approval", "账号待审核", "请本企业已有账号的同事登录后，在“本单位人员”中通过您的申请。"),
    404: ("not-found", "没有找到", "该内容不存在，或者您无权查看。请核对编号，或从首页重新进入。"),
    405: ("method-not-allowed", "不支持这种操作", "请从页面上的按钮进入。"),
    406: ("not-acceptable", "不支持这种格式", "请换一种格式。"),
    409: ("conflict", "未能保存", "请刷新页面，核对最新内容后再操作。"),
    410: ("gone", "已失效", "请重新获取。"),
    413: ("too-large", "文件过大", "每个文件不超过10 MB，请压缩后再上传。"),
    415: ("unsupported-media-type", "不支持这种文件", "请上传 PDF、JPEG 或 PNG 文件。"),
    422: ("invalid", "填写有误", "请按提示修改后再提交，已填写的内容不会丢失。"),
    428: ("key-needed", "缺少幂等键", "请带上 Idempotency-Key 请求头。"),
    429: ("too-many-requests", "操作过于频繁", "请稍后再试。"),
    500: ("our-fault", "系统出了点问题", "已记录本次错误，请稍后再试；急事请拨打 12345。"),
    503: ("unavailable", "系统暂时无法使用", "请稍后再试，已提交的内容不会丢失；急事请拨打 12345。"),
}

PLAIN = str | int | float | None

# What other rooms say of something that is not there.
ROOM_ERRORS = (UnknownDivision,)

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
    if isinstance(error, NotFound):
        return of_status(404)  # what is absent and what is not yours read the same
    if isinstance(error, DispatchError):
        status, slug = next((s, g) for kind, s, g in DISPATCH if isinstance(error, kind))
        facts: dict[str, object] = {
            k: v for k, v in error.facts.items() if isinstance(v, str | int | float | bool | None)
        }
        _, title, next_step = WORDS[status]
        return ErrorAnswer(
            status, slug, gettext(title), in_words(error.user_message), gettext(next_step), facts=facts or None
        )
    if isinstance(error, RunError):
        difference = getattr(error, "difference", None) or None
        return of_status(409, in_words(error.user_message), facts=difference)
    if isinstance(error, CalendarMissing):
        return of_status(503, gettext("还没有%(year)s年的工作日历，请系统管理员导入后再试。", year=error.year))
    if isinstance(error, ROOM_ERRORS):
        return of_status(404)
    if isinstance(error, AccountError):
        return ErrorAnswer(422, "account", gettext("账号操作未完成"), in_words(error.user_message), "")
    if isinstance(error, BadUpload):
        return ErrorAnswer(
            422, "bad-file", gettext("文件不能使用"), in_words(error.user_message), gettext("已填写的内容不会丢失。")
        )
    if isinstance(error, TooSoon):
        return of_status(429, in_words(error.user_message), headers={"Retry-After": str(error.wait_s)})
    if isinstance(error, RateLimitExceeded):
        return of_status(
            429, "", headers=dict(error.get_response().headers.items(lower=False)) and {"Retry-After": "60"}
        )
    if isinstance(error, CSRFError):
        return of_status(400, gettext("页面停留时间过长或已在别处登录，请返回后刷新页面再提交。"))
    if isinstance(error, HTTPError):
        message = error.message if error.status_code == HTTPStatus.BAD_REQUEST else ""
        return of_status(error.status_code, message or "", errors=error.detail or None)
    if isinstance(error, ValidationError):
        return of_status(422, errors=error.errors(include_url=False, include_input=False, include_context=False))
    if isinstance(error, HTTPException):
        return of_status(error.code or 500)
    if isinstance(error, DataError | UnicodeEncodeError | OverflowError):
        return of_status(400)  # a number, a day or a character that no row can hold
    if isinstance(error, IntegrityError):
        return of_status(409)  # somebody else was quicker with the same number, scan or code
    if isinstance(error, OperationalError):
        return of_status(503)
    if isinstance(error, db.ClockIsReal):
        return of_status(404)
    return of_status(500)


def wants_json() -> bool:
    """Programs and scripts: anything under /api, or who prefers JSON to a page."""
    if request.path.startswith("/api/") or request.path in {"/openapi.json", "/healthz", "/readyz"}:
        return True
    accepts = request.accept_mimetypes
    return bool(max(accepts["application/json"], accepts["application/problem+json"]) > accepts["text/html"])


def answer(error: Exception) -> Response | tuple[str, int, dict[str, str]] | AnyResponse:
    """What the client gets."""
    if isinstance(error, HTTPException) and error.response is not None:
        return error.get_response()
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()
    problem = of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed", path=request.path, endpoint=request.endpoint, exc_info=error)
    headers = problem.headers or {}
    if wants_json():
        body = {"type": f"/docs/problems#{problem.slug}", "title": problem.title, "status": problem.status}
        extra = {"detail": problem.detail or problem.next_step, "errors": problem.errors, "facts": problem.facts}
        response = jsonify(body | {name: value for name, value in extra.items() if value})
        response.status_code = problem.status
        response.headers["Content-Type"] = "application/problem+json"
        response.headers.extend(headers)
        if problem.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if problem.status == HTTPStatus.UNAUTHORIZED and "HX-Request" not in request.headers:
        return to_login()
    template = "errors/fragment.html" if "HX-Request" in request.headers else "errors/page.html"
    return render_template(template, problem=problem, back=_back()), problem.status, headers


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
