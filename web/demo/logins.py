"""Demo logins: one account for each role, all with one password that is printed at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

import db
from dispatch.cases.project import Contact
from dispatch.core.actor import Role
from web.demo.fake_data import FakeData
from web.wiring.accounts import HASHER, Account

PASSWORD = "daiban-demo-2026"  # noqa: S105 - printed at start, for a demo database only


@dataclass(frozen=True, slots=True)
class Login:
    """A demo account: what is typed, and what it shows."""

    login: str
    role: Role
    what: str


LOGINS = (
    Login("qiye", Role.ENTERPRISE, "企业：我的办件"),
    Login("daiban", Role.AGENT, "代办员"),
    Login("zuzhang", Role.LEAD, "代办组长：晨会一页、派件、排线"),
    Login("kuaidi", Role.COURIER, "邮政揽投员：今日路线（手机）"),
    Login("jiandu", Role.SUPERVISOR, "监督员"),
    Login("guanli", Role.OPERATOR, "系统管理员"),
)


@dataclass(frozen=True, slots=True)
class LoginHolder:
    """Whom a demo account belongs to; a name or a phone that is not given is drawn."""

    name: str | None = None
    phone: str | None = None
    enterprise_id: int | None = None
    agent_id: int | None = None
    courier_id: int | None = None
    division_id: int | None = None


def demo_password_hash() -> str:
    """One hash that all demo accounts share: argon2 is slow on purpose, and this password is printed at start."""
    return HASHER.hash(PASSWORD)


def add_logins(session: Session, fake: FakeData, holders: Mapping[Role, LoginHolder], *, password_hash: str) -> None:
    """An account for each of LOGINS."""
    for login in LOGINS:
        holder = holders[login.role]
        account = Account(
            role=login.role,
            login=login.login,
            password_hash=password_hash,
            name=holder.name or fake.person(),
            enterprise_id=holder.enterprise_id,
            agent_id=holder.agent_id,
            courier_id=holder.courier_id,
            division_id=holder.division_id,
            confirmed_at=db.now(session) if login.role is Role.ENTERPRISE else None,
            is_owner=login.role is Role.ENTERPRISE,
        )
        account.set_phone(holder.phone or fake.phone())
        session.add(account)
    session.flush()
    # The enterprise's person proved its number when it registered.
    same = (Contact.enterprise_id == Account.enterprise_id, Contact.phone_hash == Account.phone_hash)
    session.execute(
        update(Contact).where(*same).values(account_id=Account.id).execution_options(synchronize_session=False)
    )
