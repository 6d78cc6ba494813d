"""The entry: a person with a link from who has the machine sets a password, once, and is signed in."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from dispatch.core.actor import Role
from web.pages.public.login_views import bp
from web.wiring.accounts import AccountError, change_password
from web.wiring.auth import limiter, person_of, sign_in, sign_out
from web.wiring.entry_links import account_of_entry
from web.wiring.formatting import in_words
from web.wiring.login_sessions import SignInMeans
from web.wiring.transactions import transaction


class LinkEnded(AccountError):
    """The link was used, is older than a day, or is none."""

    user_message = "链接已使用或已失效，请在服务器上重新生成"


@bp.route("/account/entry/<key>", methods=["GET", "POST"])
@limiter.limit("30 per minute")
def entry(key: str) -> str | Response | tuple[str, int]:
    """Set the password that the link is for; afterwards it is nobody's."""
    try:
        with transaction() as session:
            account = account_of_entry(session, str(current_app.secret_key), key)
            if account is None:
                raise LinkEnded("the link has ended")
            login, name = account.login or "", account.name
            if request.method != "POST":
                return render_template("account/entry.html", login=login, name=name)
            new, again = (request.form.get(field, "")[:200] for field in ("new", "again"))
            if new != again:
                raise AccountError("typed differently", user_message=gettext("两次填写的新密码不一致"))
            change_password(session, account, new, old=None)
            person, is_operator = person_of(session, account), account.role is Role.OPERATOR
    except LinkEnded as error:
        return render_template("account/entry.html", login="", name="", ended=in_words(error.user_message)), 404
    except AccountError as error:
        flash(in_words(error.user_message), "error")
        return render_template("account/entry.html", login=login, name=name), 422
    if current_user.is_authenticated:
        sign_out()
    sign_in(person, SignInMeans.PASSWORD)
    return redirect(url_for("operator.set_up") if is_operator else person.home)
