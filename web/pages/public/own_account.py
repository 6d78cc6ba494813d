"""One's own account: the password, the browsers that are signed in, the programs that have a token."""

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

import db
from dispatch.acts.notice_language import ChooseLanguage
from dispatch.acts.webhooks import SUBSCRIBERS
from dispatch.core.actor import Role
from web.pages.public.login_views import bp
from web.wiring import login_sessions
from web.wiring.accounts import Account, AccountError, change_password
from web.wiring.act_door import command_from_form, offers, take_in
from web.wiring.auth import current_person, person_of, proved, sign_in, signed_in
from web.wiring.formatting import in_words
from web.wiring.forms import whole_number
from web.wiring.login_sessions import LoginSession, SignInMeans
from web.wiring.second_factor import has_factor
from web.wiring.security_log import SecurityKind, record
from web.wiring.tokens import MOST_DAYS, TOKEN_DAYS, TokenScope, issue_token, revoke_token, tokens_of
from web.wiring.transactions import transaction

JUST_PROVED = timedelta(minutes=15)
DAYS_OFFERED = (7, 30, TOKEN_DAYS, MOST_DAYS)


def _me(session: Session) -> Account:
    return session.get_one(Account, current_person().account_id)


def _has_just_proved(session: Session) -> bool:
    """Whether the person signed in by SMS a moment ago: then the number stands for a forgotten password."""
    row = session.get(LoginSession, current_person().session_id or 0)
    if row is None or row.means is SignInMeans.PASSWORD:
        return False
    return db.real_now(session) - row.begun_at < JUST_PROVED


@bp.get("/account/security")
@signed_in
def security() -> str:
    """The password, every browser that is signed in, every token."""
    return _page()


def _page(*, token: str = "") -> str:
    with transaction() as session:
        me = _me(session)
        return render_template(
            "account/security.html", me=me, sessions=login_sessions.sessions_of(session, me),
            here=current_person().session_id, tokens=tokens_of(session, me), token=token, days_offered=DAYS_OFFERED,
            has_factor=has_factor(session, me.id), may_subscribe=me.role in SUBSCRIBERS,
            chooses_language=me.role is Role.ENTERPRISE,
            asks_for_old=me.password_hash is not None and not _has_just_proved(session),
        )  # fmt: skip


@bp.post("/account/security/password")
@signed_in
def own_password() -> Response | tuple[str, int]:
    """Set or change the password; every other sign-in and every token ends."""
    new, again, old = (request.form.get(name, "")[:200] for name in ("new", "again", "old"))
    try:
        with transaction() as session:
            me = _me(session)
            if new != again:
                raise AccountError("typed differently", user_message=gettext("两次填写的新密码不一致"))
            change_password(session, me, new, old=None if _has_just_proved(session) else old)
            person = person_of(session, me)
    except AccountError as error:
        flash(in_words(error.user_message), "error")
        return _page(), 422
    sign_in(person, SignInMeans.PASSWORD)
    flash(gettext("密码已修改，其他设备和令牌已全部退出"))
    return redirect(url_for("account.security"))


@bp.post("/account/security/language")
@offers(ChooseLanguage)
def own_language() -> Response:
    """In which language messages come to one's own number."""
    with transaction() as session:
        chosen = take_in(session, command_from_form(ChooseLanguage, request.form))
        _me(session).locale = chosen.language
    flash(gettext("已保存，以后的短信用这种语言"))
    return redirect(url_for("account.security"))


@bp.post("/account/security/sessions")
@signed_in
def end_sessions() -> Response:
    """Sign out one other browser, or all of them."""
    asked, here = request.form.get("session", ""), current_person().session_id
    with transaction() as session:
        if asked == "others":
            login_sessions.end_others(session, _me(session), here)
        elif not login_sessions.end(session, _me(session), whole_number(asked)):
            raise NotFound
        record(session, SecurityKind.SESSION_ENDED, account_id=current_person().account_id, subject=asked[:30])
    flash(gettext("已退出"))
    return redirect(url_for("account.security"))


@bp.post("/account/security/tokens")
@signed_in
@proved
def own_token() -> str | tuple[str, int]:
    """A token for a program: it is shown this once."""
    name, days = request.form.get("name", "").strip()[:80], request.form.get("days", "")
    scopes = list(TokenScope) if request.form.get("scope") == TokenScope.WRITE else [TokenScope.READ]
    try:
        with transaction() as session:
            if not name or days not in {str(one) for one in DAYS_OFFERED}:
                raise AccountError("no name", user_message=gettext("请填写用途，以后才分得清"))
            plain = issue_token(session, _me(session), name, scopes=scopes, days=int(days))
    except AccountError as error:
        flash(in_words(error.user_message), "error")
        return _page(), 422
    return _page(token=plain)


@bp.post("/account/security/tokens/<int:token_id>/end")
@signed_in
def end_own_token(token_id: int) -> Response:
    """Stop one of one's own tokens."""
    with transaction() as session:
        if not revoke_token(session, _me(session), token_id):
            raise NotFound
    flash(gettext("令牌已停用"))
    return redirect(url_for("account.security"))
