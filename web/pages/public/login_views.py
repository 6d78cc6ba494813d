"""The entrance: signing in and out, registering, colleagues waiting at the door, the language of the pages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, Field, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from dispatch.cases.enterprises import checked_credit_code
from dispatch.core.credit_code import WrongCreditCode
from notifications import outbox
from notifications.phone import BadNumber, normalise
from web.wiring import claims, formatting
from web.wiring.accounts import (
    Account,
    AccountError,
    AccountState,
    account_named,
    account_of_phone,
    account_with_password,
)
from web.wiring.auth import (
    SignedInAccount,
    current_person,
    enterprise_only,
    half_sign_in,
    limiter,
    person_of,
    safe_target,
    sign_in,
    sign_out,
)
from web.wiring.client_marks import device_digest, mark_device
from web.wiring.codes import Purpose, TooSoon, make_code, use_code
from web.wiring.forms import phone_number
from web.wiring.guesses import Guesser, GuessKind, TooManyGuesses, begin_guess
from web.wiring.login_sessions import SignInMeans, is_familiar
from web.wiring.network_line import network_of
from web.wiring.registration import register as register_enterprise
from web.wiring.second_factor import has_factor
from web.wiring.security_log import SecurityKind, record, record_apart
from web.wiring.transactions import transaction

bp = Blueprint("account", __name__)

SENT = _("如该手机号可用，验证码将在1分钟内送达，10分钟内有效。")


class PasswordForm(FlaskForm):
    """Signing in with a password."""

    name = StringField(_("手机号或工号"), [InputRequired(_("请填写手机号或工号")), Length(max=64)])
    password = PasswordField(_("密码"), [InputRequired(_("请填写密码")), Length(max=200)])


class CodeForm(FlaskForm):
    """Signing in with a one-time code."""

    phone = StringField(_("手机号"), [InputRequired(_("请填写手机号")), Length(max=32), phone_number])
    code = StringField(_("短信验证码"), [Optional(), Regexp(r"^\s*\d{6}\s*$", message=_("验证码是6位数字"))])


class RegisterForm(FlaskForm):
    """What an enterprise gives to come in."""

    enterprise_name = StringField(_("企业名称"), [InputRequired(_("请填写企业名称")), Length(min=2, max=120)])
    credit_code = StringField(_("统一社会信用代码"), [Length(max=32)])
    not_founded = BooleanField(_("企业尚未设立，暂无信用代码"))
    contact_name = StringField(_("联系人姓名"), [InputRequired(_("请填写联系人姓名")), Length(min=2, max=40)])
    phone = StringField(_("手机号"), [InputRequired(_("请填写手机号")), Length(max=32), phone_number])
    code = StringField(_("短信验证码"), [Optional(), Regexp(r"^\s*\d{6}\s*$", message=_("验证码是6位数字"))])
    password = PasswordField(_("登录密码（可不设，以后用验证码登录）"), [Optional(), Length(max=200)])

    def validate_credit_code(self, field: Field) -> None:
        """Needed and checked, unless the enterprise is yet to be founded."""
        if self.not_founded.data:
            return
        if not (field.data or "").strip():
            raise ValidationError(gettext("请填写18位统一社会信用代码，或勾选“企业尚未设立”"))
        try:
            with transaction() as session:
                checked_credit_code(session, field.data)
        except WrongCreditCode as error:
            raise ValidationError(formatting.in_words(error.user_message)) from None


@bp.get("/")
def front() -> str | Response:
    """The front door: a signed-in person's own home, else where to begin."""
    return redirect(current_user.home) if current_user.is_authenticated else render_template("front.html")


# ---------------------------------------------------------------- signing in


@bp.route("/login", methods=["GET", "POST"])
@limiter.limit("20 per minute; 200 per hour", methods=["POST"])
def login() -> str | Response | tuple[str, int]:
    """Password or code; afterwards the role's own home, or the page that was wanted."""
    if current_user.is_authenticated and request.method != "POST":
        return redirect(current_user.home)
    by_code = request.args.get("by") == "code"
    form: Any = CodeForm() if by_code else PasswordForm()
    if request.method != "POST":
        return _login_page(form, by_code)
    try:
        person = _who(form, by_code) if form.validate() else None
    except TooManyGuesses as error:
        record_apart(SecurityKind.SIGN_IN_BLOCKED, account_id=None)
        minutes = -(-error.wait_s // 60)
        form.form_errors.append(gettext("尝试次数过多，请%(n)s分钟后再试，或换用验证码登录", n=minutes))
        return _login_page(form, by_code), 429
    if person is not None:
        return come_in(person, _means(by_code))
    if not form.errors:
        whose = _whose(form, by_code)
        record_apart(SecurityKind.SIGN_IN_FAILED, account_id=None, subject=whose, means=_means(by_code).value)
        form.form_errors.append(
            gettext("验证码不对或已失效，请在获取验证码的同一浏览器中重新获取")
            if by_code
            else gettext("手机号（工号）或密码不对")
        )
    return _login_page(form, by_code), 422


def _means(by_code: bool) -> SignInMeans:
    return SignInMeans.CODE if by_code else SignInMeans.PASSWORD


def come_in(person: SignedInAccount, means: SignInMeans) -> Response:
    """Sign in, or ask for the second factor first where the account has one; then to the page that was wanted."""
    wanted = safe_target(request.args.get("next"))
    with transaction() as session:
        owed = session.get_one(Account, person.account_id).epoch if has_factor(session, person.account_id) else None
    if owed is not None:
        half_sign_in(person, means, owed)
        return redirect(url_for("account.second_step", next=wanted))
    sign_in(person, means)
    return redirect(wanted or person.home)


def _whose(form: Any, by_code: bool) -> str:
    """Whose account was tried, where there is one; what was typed is kept nowhere: it may be a password."""
    with transaction() as session:
        name = form.phone.data if by_code else form.name.data
        known = account_named(session, name, _e164(name))
        return f"account:{known.id}" if known is not None else "nobody"


def _who(form: Any, by_code: bool) -> SignedInAccount | None:
    if not by_code:
        return _who_has_password(form.name.data, form.password.data)
    with transaction() as session:
        right = use_code(session, form.phone.e164, Purpose.LOGIN, form.code.data or "", device=device_digest())
        account = account_of_phone(session, form.phone.e164) if right else None
        return person_of(session, account) if account else None


def _who_has_password(name: str, password: str) -> SignedInAccount | None:
    """The person of this name and password. Raises TooManyGuesses; a name that nobody has is counted all the same."""
    phone = _e164(name)
    with transaction() as session:
        known = account_named(session, name, phone)
        canonical = f"account {known.id}" if known is not None else phone or name.strip().lower()
        guesser = Guesser(network_of(request.remote_addr), device_digest())
        guess = begin_guess(session, GuessKind.PASSWORD, canonical, guesser)
    with transaction() as session:
        account = account_with_password(session, name, phone, password)
        if account is None:
            return None
        guess = session.merge(guess)
        guess.is_right, guess.device = True, mark_device()
        return person_of(session, account)


def _e164(text: str) -> str | None:
    try:
        return str(normalise(text))
    except BadNumber:
        return None


def _login_page(form: FlaskForm, by_code: bool, sent: object = "") -> str:
    return render_template("account/login.html", form=form, by_code=by_code, sent=sent)


@bp.post("/login/code")
@limiter.limit("10 per minute; 60 per hour")
def login_code() -> str | tuple[str, int]:
    """Send a code for signing in; the answer is the same for numbers that nobody has."""
    form = CodeForm()
    if not form.validate():
        return _login_page(form, True), 422
    with _same_time(), transaction() as session:
        try:
            _send_code(session, form.phone.e164, Purpose.LOGIN)
        except TooSoon as error:
            form.phone.errors = [*form.phone.errors, formatting.in_words(error.user_message)]
            return _login_page(form, True), 429
    return _login_page(form, True, sent=SENT)


def _send_code(session: Session, phone: str, purpose: Purpose) -> None:
    """A code for the asking browser alone; a browser with which the owner signed in has a budget of its own."""
    account, device = account_of_phone(session, phone), mark_device()
    is_known = account is not None and is_familiar(session, account, device)
    made = make_code(session, phone, purpose, device=device, is_familiar=is_known)
    whose = f"account:{account.id}" if account is not None else "nobody"
    record(session, SecurityKind.CODE_ASKED, account_id=None, subject=whose, purpose=purpose.value)
    if purpose is Purpose.LOGIN and account is None:
        return  # the row counts against the number's budget all the same; only the SMS is not sent
    outbox.queue_message(
        session,
        outbox.NewMessage(
            event_key=f"login_code:{made.id}",
            text="login_code",
            to=phone,
            values={"code": made.digits},
            at=formatting.business_clock()[0],
            locale="zh" if formatting.is_chinese() else "en",
        ),
    )


SAME_TIME_S = 0.25


@contextmanager
def _same_time() -> Iterator[None]:
    """What stands inside takes as long whether an SMS is sent or not: the time tells nobody which numbers are known."""
    ends = time.monotonic() + SAME_TIME_S
    try:
        yield
    finally:
        time.sleep(max(0.0, ends - time.monotonic()))


@bp.post("/logout")
def logout() -> Response:
    """End this browser's session."""
    sign_out()
    return redirect("/")


# ---------------------------------------------------------------- registering


@bp.route("/register", methods=["GET", "POST"])
@limiter.limit("20 per minute; 100 per hour", methods=["POST"])
def register() -> str | Response | tuple[str, int]:
    """A person claims an enterprise: who is the first may begin at once, who finds a history waits."""
    form = RegisterForm()
    if request.method != "POST":
        return _register_page(form)
    if form.validate() and not (form.code.data or "").strip():
        form.code.errors = [gettext("请填写短信验证码")]
    if form.errors or form.code.errors:
        return _register_page(form), 422
    with transaction() as session:
        if not use_code(session, form.phone.e164, Purpose.REGISTER, form.code.data or "", device=device_digest()):
            form.code.errors = [gettext("验证码不对或已失效，请在获取验证码的同一浏览器中重新获取")]
            return _register_page(form), 422
    try:
        with transaction() as session:
            account = register_enterprise(
                session,
                enterprise_name=form.enterprise_name.data.strip(),
                code=None if form.not_founded.data else form.credit_code.data,
                contact_name=form.contact_name.data.strip(),
                phone=form.phone.e164,
                password=form.password.data or None,
                locale="zh" if formatting.is_chinese() else "en",
            )
            person = person_of(session, account)
    except AccountError as error:
        form.form_errors.append(formatting.in_words(error.user_message))
        return _register_page(form), 422
    sign_in(person, SignInMeans.REGISTRATION)
    return redirect(person.home)


def _register_page(form: FlaskForm, sent: object = "") -> str:
    return render_template("account/register.html", form=form, sent=sent)


@bp.post("/register/code")
@limiter.limit("10 per minute; 60 per hour")
def register_code() -> str | tuple[str, int]:
    """Send a code for registering; what was filled in stays."""
    form = RegisterForm()
    form.validate()
    if form.phone.errors:
        return _register_page(form), 422
    for field in form:
        field.errors = []
    with transaction() as session:
        try:
            _send_code(session, form.phone.e164, Purpose.REGISTER)
        except TooSoon as error:
            form.phone.errors = [formatting.in_words(error.user_message)]
            return _register_page(form), 429
    return _register_page(form, sent=SENT)


# ---------------------------------------------------------------- colleagues


@bp.get("/account/waiting")
def waiting() -> str | Response:
    """What a person sees who has not been let in yet."""
    person = current_person()
    if person.state is not AccountState.WAITING:
        return redirect(person.home)
    return render_template("account/waiting.html")


@bp.get("/account/people")
@enterprise_only
def people() -> str:
    """Everybody of one's own enterprise, the waiting ones first."""
    with transaction() as session:
        account = session.get_one(Account, current_person().account_id)
        return render_template("account/people.html", people=claims.colleagues(session, account), me=account)


@bp.post("/account/people/<int:account_id>/approval")
@enterprise_only
def approve_person(account_id: int) -> Response:
    """Let a waiting colleague in."""
    with transaction() as session:
        let_in = claims.approve(session, session.get_one(Account, current_person().account_id), account_id)
        flash(gettext("已通过 %(name)s 的申请", name=let_in.name))
    return redirect(url_for("account.people"))


@bp.post("/account/people/<int:account_id>/removal")
@enterprise_only
def remove_person(account_id: int) -> Response:
    """A colleague has left, or should never have been let in: the owner removes them."""
    try:
        with transaction() as session:
            by = session.get_one(Account, current_person().account_id)
            person = claims.remove(session, by, account_id, reason=gettext("本单位移出"))
            flash(gettext("已移出 %(name)s", name=person.name))
    except claims.OwnerStays as error:
        flash(formatting.in_words(error.user_message), "error")
    return redirect(url_for("account.people"))


@bp.post("/language/<code>")
def language(code: str) -> Response:
    """Change this browser's language and stay on the page."""
    if code in formatting.LOCALES:
        cookie["locale"] = code
    return redirect(safe_target(request.form.get("next")) or "/")
