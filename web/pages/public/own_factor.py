"""The second factor at the sign-in, its setting up, and showing again to be there before what cannot be taken back."""

from contextlib import suppress

import segno
from argon2.exceptions import InvalidHashError, VerificationError
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from web.pages.public.login_views import bp
from web.wiring.accounts import HASHER, Account, AccountState
from web.wiring.auth import current_person, half_signed_in, limiter, person_of, safe_target, sign_in, sign_out
from web.wiring.client_marks import device_digest, mark_device
from web.wiring.guesses import Guess, Guesser, GuessKind, TooManyGuesses, begin_guess
from web.wiring.login_sessions import note_proof
from web.wiring.network_line import network_of
from web.wiring.second_factor import (
    SecondFactor,
    address_of,
    begin_factor,
    confirm_factor,
    factor_of,
    has_factor,
    is_right_code,
    remove_factor,
)
from web.wiring.security_log import SecurityKind, record_apart
from web.wiring.transactions import transaction

Page = str | Response | tuple[str, int]


def _wrong() -> str:
    return str(gettext("动态码不对或已用过，请等下一个动态码再试"))


def _typed() -> str:
    return request.form.get("code", "")[:200]


def _is_right(account_id: int, kind: GuessKind, typed: str) -> bool:
    """Whether what was typed is right, within the budget of wrong tries. Raises TooManyGuesses."""
    with transaction() as session:
        guesser = Guesser(network_of(request.remote_addr), device_digest())
        guess = begin_guess(session, kind, f"account {account_id}", guesser)
    with transaction() as session:
        right = _shows(session, session.get_one(Account, account_id), kind, typed)
        if right:
            found: Guess = session.merge(guess)
            found.is_right, found.device = True, mark_device()
    if not right:
        record_apart(SecurityKind.SIGN_IN_FAILED, account_id=None, subject=f"account:{account_id}", means=kind.value)
    return right


def _shows(session: Session, account: Account, kind: GuessKind, typed: str) -> bool:
    if kind is GuessKind.FACTOR:
        return is_right_code(session, account.id, typed)
    with suppress(VerificationError, InvalidHashError):
        return account.password_hash is not None and HASHER.verify(account.password_hash, typed)
    return False


def _too_many(error: TooManyGuesses) -> str:
    record_apart(SecurityKind.SIGN_IN_BLOCKED, account_id=None)
    return str(gettext("尝试次数过多，请%(n)s分钟后再试", n=-(-error.wait_s // 60)))


@bp.route("/login/second", methods=["GET", "POST"])
@limiter.limit("20 per minute; 200 per hour", methods=["POST"])
def second_step() -> Page:
    """The code of the app, or one of recovery, after the password; only then somebody is signed in."""
    half = half_signed_in()
    if half is None:
        return redirect(url_for("account.login", next=safe_target(request.args.get("next"))))
    account_id, epoch, means = half
    if request.method != "POST":
        return render_template("account/second_step.html", wrong="")
    try:
        right = _is_right(account_id, GuessKind.FACTOR, _typed())
    except TooManyGuesses as error:
        return render_template("account/second_step.html", wrong=_too_many(error)), 429
    if not right:
        return render_template("account/second_step.html", wrong=_wrong()), 422
    with transaction() as session:
        account = session.get_one(Account, account_id)
        if account.epoch != epoch or account.state is AccountState.CLOSED:
            return redirect(url_for("account.login"))
        person = person_of(session, account)
    sign_in(person, means)
    return redirect(safe_target(request.args.get("next")) or person.home)


@bp.route("/account/factor", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
def factor() -> Page:
    """Set up an authenticator: scan, type the first code, keep the recovery codes."""
    me_id, codes, wrong = current_person().account_id, None, ""
    with transaction() as session:
        me = session.get_one(Account, me_id)
        if request.method == "POST":
            codes = confirm_factor(session, me, _typed())
            wrong = "" if codes else _wrong()
        found = factor_of(session, me_id)
        if found is None:
            found = _begun(me_id)
        address = "" if found.confirmed_at else address_of(found, me)
        page = render_template(
            "account/factor.html", factor=found, codes=codes, wrong=wrong, owed=current_person().owes_factor,
            qr=Markup(segno.make_qr(address, error="m").svg_inline(scale=5, border=2)) if address else "",  # noqa: S704
            secret=" ".join(found.secret[i : i + 4] for i in range(0, len(found.secret), 4)) if address else "",
        )  # fmt: skip
    return (page, 422) if wrong else page


def _begun(account_id: int) -> SecondFactor:
    with transaction() as session:
        return begin_factor(session, session.get_one(Account, account_id))


@bp.post("/account/factor/removal")
@limiter.limit("20 per minute")
def end_factor() -> Response:
    """Take the authenticator away, with a code of it: for another phone, or for good where none is required."""
    me_id = current_person().account_id
    try:
        right = _is_right(me_id, GuessKind.FACTOR, _typed())
    except TooManyGuesses as error:
        flash(_too_many(error), "error")
        return redirect(url_for("account.factor"))
    if right:
        with transaction() as session:
            remove_factor(session, session.get_one(Account, me_id), by_id=me_id, reason="")
        flash(gettext("已停用，可重新设置"))
    else:
        flash(_wrong(), "error")
    return redirect(url_for("account.factor"))


@bp.route("/account/proof", methods=["GET", "POST"])
@limiter.limit("20 per minute; 200 per hour", methods=["POST"])
def proof() -> Page:
    """Show to be there: by the app's code, else by the password; who has neither signs in anew."""
    me, wanted = current_person(), safe_target(request.args.get("next")) or "/"
    with transaction() as session:
        by_factor = has_factor(session, me.account_id)
        has_either = by_factor or session.get_one(Account, me.account_id).password_hash is not None
    if request.method != "POST":
        return render_template("account/proof.html", by_factor=by_factor, has_either=has_either, wrong="")
    if not has_either:
        sign_out()
        return redirect(url_for("account.login", by="code", next=wanted))
    try:
        right = _is_right(me.account_id, GuessKind.FACTOR if by_factor else GuessKind.PASSWORD, _typed())
    except TooManyGuesses as error:
        return render_template("account/proof.html", by_factor=by_factor, has_either=True, wrong=_too_many(error)), 429
    if not right:
        wrong = _wrong() if by_factor else gettext("密码不对")
        return render_template("account/proof.html", by_factor=by_factor, has_either=True, wrong=wrong), 422
    with transaction() as session:
        note_proof(session, me.session_id or 0)
    return redirect(wanted)
