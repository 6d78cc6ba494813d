"""Staff accounts: leads, supervisors and operators are made with a reason; an operator by two people."""

from collections import Counter

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch.core.actor import Role
from web.wiring.accounts import (
    Account,
    AccountError,
    AccountEvent,
    AccountState,
    NotOneself,
    NumberTaken,
    account_of_phone,
    note,
)
from web.wiring.second_factor import remove_factor

MADE_BY_OPERATORS = (Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)


class LoginTaken(AccountError):
    """Somebody signs in with this name already."""

    user_message = "该工号已有账号"


class NotWaiting(AccountError):
    """Only an operator who waits for a second person's yes can be approved."""

    user_message = "该账号不在等待复核"


def make_staff(
    session: Session, by: Account, *, role: Role, name: str, phone: str, login: str | None, division_id: int | None,
    reason: str,
) -> Account:  # fmt: skip
    """A lead or supervisor of a division, active at once; an operator waits for another operator's yes.

    Raises NumberTaken, LoginTaken."""
    if account_of_phone(session, phone) is not None:
        raise NumberTaken("the number has an account", user_message="该手机号已被其他账号使用")
    account = Account(role=role, name=name, division_id=division_id, login=_free_login(session, login))
    account.set_phone(phone)
    if role is Role.OPERATOR:
        account.state = AccountState.WAITING
    session.add(account)
    session.flush()
    note(session, account, kind="made", reason=reason, by_id=by.id)
    return account


def approve_operator(session: Session, by: Account, account: Account, *, reason: str) -> None:
    """A second operator says yes. Raises NotWaiting, and NotOneself for who made the account."""
    if account.role is not Role.OPERATOR or account.state is not AccountState.WAITING:
        raise NotWaiting("nobody waits")
    made = select(AccountEvent.by_id).where(AccountEvent.account_id == account.id, AccountEvent.kind == "made")
    if by.id in {account.id, *session.scalars(made)}:
        raise NotOneself("two people make an operator", user_message="系统管理员须由另一位系统管理员复核开通")
    account.state, account.approved_by_id = AccountState.ACTIVE, by.id
    note(session, account, kind="approved", reason=reason, by_id=by.id)


def make_operator_at_console(session: Session, *, name: str, login: str, phone: str | None) -> Account:
    """Who has the machine makes the first operator, or another when nobody can sign in any more; without a password.

    Raises LoginTaken and NumberTaken."""
    if phone is not None and account_of_phone(session, phone) is not None:
        raise NumberTaken("the number has an account")
    account = Account(role=Role.OPERATOR, name=name, login=_free_login(session, login))
    if phone is not None:
        account.set_phone(phone)
    session.add(account)
    session.flush()
    note(session, account, kind="made", reason="console", by_id=None)
    return account


def recover_at_console(session: Session, login: str) -> Account:
    """Who has this login name sets a new password; every session and token and the second factor ends, a closed
    account is open again.

    Raises LookupError."""
    account = session.scalar(select(Account).where(Account.login == login.strip().lower()).with_for_update())
    if account is None:
        raise LookupError(f"nobody signs in as {login!r}")
    account.password_hash, account.state = None, AccountState.ACTIVE
    account.sign_out_everywhere()
    remove_factor(session, account, by_id=None, reason="console")
    note(session, account, kind="recovered", reason="console", by_id=None)
    return account


def _free_login(session: Session, login: str | None) -> str | None:
    wanted = (login or "").strip().lower() or None
    if wanted is not None and session.scalar(select(Account.id).where(Account.login == wanted)) is not None:
        raise LoginTaken("the login name is taken")
    return wanted


def leads_by_division(session: Session) -> Counter[int]:
    """How many leads can work for each division."""
    led = select(Account.division_id).where(Account.role == Role.LEAD, Account.state == AccountState.ACTIVE)
    return Counter(place for place in session.scalars(led) if place is not None)


def operators_who_can_sign_in(session: Session) -> int:
    """How many operators are active and have a password or a number."""
    able = or_(Account.password_hash.is_not(None), Account.phone_hash.is_not(None))
    operators = select(func.count()).where(Account.role == Role.OPERATOR, Account.state == AccountState.ACTIVE, able)
    return session.scalar(operators) or 0
