"""Whose a file is: an act names only what its own person uploaded, for the stop or the case that it is about."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from tests.fixtures.papers import a_pdf
from web.wiring import files
from web.wiring.accounts import Account, AccountState
from web.wiring.kept_uploads import UNBOUND, KeptUpload, check_uploaded, of_case, of_stop

A, B = "a" * 64, "b" * 64


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    with sessions() as opened:
        yield opened


@pytest.fixture
def two(session: Session) -> tuple[int, int]:
    """Two couriers' accounts."""
    made = [Account(role=Role.LEAD, state=AccountState.ACTIVE, name=name) for name in "甲乙"]
    session.add_all(made)
    session.flush()
    return made[0].id, made[1].id


def uploaded(session: Session, account_id: int, digest: str, subject: str = UNBOUND) -> None:
    session.add(KeptUpload(sha256=digest, account_id=account_id, subject=subject))
    session.flush()


@pytest.mark.parametrize("subject", [of_stop(1), of_case("DB1"), UNBOUND])
def test_what_nobody_or_somebody_else_uploaded_reads_alike(
    session: Session, two: tuple[int, int], subject: str
) -> None:
    mine, theirs = two
    uploaded(session, theirs, A, of_stop(1))
    refused = []
    for digest in (A, B):
        with pytest.raises(Refused) as error:
            check_uploaded(session, mine, [digest], subject)
        refused.append(error.value.user_message)
    assert refused[0] == refused[1]


def test_a_picture_of_one_stop_shows_nothing_at_another(session: Session, two: tuple[int, int]) -> None:
    uploaded(session, two[0], A, of_stop(1))
    check_uploaded(session, two[0], [A], of_stop(1))
    check_uploaded(session, two[0], [A], UNBOUND)  # a word to the dispatcher that names no stop
    with pytest.raises(Refused):
        check_uploaded(session, two[0], [A], of_stop(2))


def test_what_was_uploaded_for_nothing_yet_is_of_the_first_stop_that_names_it(
    session: Session, two: tuple[int, int]
) -> None:
    uploaded(session, two[0], A)
    for _ in range(2):  # the phone may send its act again
        check_uploaded(session, two[0], [A], of_stop(1))
    with pytest.raises(Refused):
        check_uploaded(session, two[0], [A], of_stop(2))
    assert list(session.scalars(select(KeptUpload.subject))) == [of_stop(1)]


def test_a_paper_of_a_case_may_be_a_colleagues_and_of_that_case_alone(session: Session, two: tuple[int, int]) -> None:
    uploaded(session, two[1], A, of_case("DB1"))
    check_uploaded(session, two[0], [A], of_case("DB1"))
    with pytest.raises(Refused):
        check_uploaded(session, two[0], [A], of_case("DB2"))


def test_nobody_without_an_account_has_uploaded_anything(session: Session, two: tuple[int, int]) -> None:
    uploaded(session, two[0], A)
    with pytest.raises(Refused):
        check_uploaded(session, None, [A], of_stop(1))


def test_whose_a_swept_file_was_is_forgotten_with_it(
    session: Session, two: tuple[int, int], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    monkeypatch.setattr(files, "ORPHANED_AFTER_S", -1.0)
    uploaded(session, two[0], files.keep_bytes(a_pdf()))
    assert files.sweep(session) == 1
    assert session.scalar(select(func.count()).select_from(KeptUpload)) == 0
