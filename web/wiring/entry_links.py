"""Entry links: who has the machine hands a person a link that sets a password once, and ends with a day."""

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from web.wiring.accounts import Account, AccountState

LASTS_S = 24 * 3600
SALT = "entry link"


def entry_key(secret_key: str, account: Account) -> str:
    """What stands in the address: whose link it is. A password that is set, by it or otherwise, ends it."""
    return URLSafeTimedSerializer(secret_key, salt=SALT).dumps([account.id, account.epoch])


def account_of_entry(session: Session, secret_key: str, key: str) -> Account | None:
    """The open account, locked, whose link this still is; None when it was used, is too old or is nobody's."""
    try:
        account_id, epoch = URLSafeTimedSerializer(secret_key, salt=SALT).loads(key, max_age=LASTS_S)
    except BadSignature:
        return None
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or account.epoch != epoch or account.state is not AccountState.ACTIVE:
        return None
    return account
