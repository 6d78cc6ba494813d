"""Reference data: a page reads it once a process, never another version than the database has, acts read every row."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, ServiceCentre
from web.wiring.reference_data import REFERENCE, ReferenceVersion, all_versions


@contextmanager
def statements(sessions: sessionmaker[Session]) -> Iterator[list[str]]:
    """What is asked of the database inside."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(sessions.kw["bind"], "before_cursor_execute", note)
    yield said
    event.remove(sessions.kw["bind"], "before_cursor_execute", note)


def reading(sessions: sessionmaker[Session]) -> Session:
    """A session of a request that only reads, at the version of this moment."""
    with sessions() as session:
        version = session.scalar(select(all_versions()))
    return sessions(info={db.REFERENCE_VERSION: version})


def names(session: Session) -> list[str]:
    return [one.name for one in session.scalars(select(Division).where(Division.level == Level.COUNTY))]


def test_what_was_read_once_is_not_asked_for_again(sessions: sessionmaker[Session], a_division: int) -> None:
    with reading(sessions) as session:
        assert names(session) == ["武进区"]
    with reading(sessions) as session, statements(sessions) as said:
        assert names(session) == ["武进区"]
        assert said == []
    with reading(sessions) as session:
        assert session.get_one(Division, a_division).name == "武进区"
    with reading(sessions) as session, statements(sessions) as said:
        assert session.get_one(Division, a_division).name == "武进区"
        assert said == []


def test_a_changed_row_is_read_anew_and_the_old_one_by_nobody(sessions: sessionmaker[Session], a_division: int) -> None:
    with reading(sessions) as session:
        assert names(session) == ["武进区"]
    with sessions.begin() as session:
        session.execute(update(Division).where(Division.id == a_division).values(name="武进新区"))
    with reading(sessions) as session:
        assert names(session) == ["武进新区"]


def test_who_reads_no_version_reads_the_rows(sessions: sessionmaker[Session], a_division: int) -> None:
    with reading(sessions) as session:
        names(session)
    with statements(sessions) as said, sessions() as session:
        assert names(session) == ["武进区"]
        assert len(said) == 1


def test_rows_of_the_process_belong_to_no_session(sessions: sessionmaker[Session], a_division: int) -> None:
    with reading(sessions) as session:
        one = session.get_one(Division, a_division)
        session.rollback()
    with reading(sessions) as session:
        other = session.get_one(Division, a_division)
        assert other is not one
        assert other in session
        assert other.name == "武进区"


def test_a_statement_that_reads_more_than_reference_data_is_asked(
    sessions: sessionmaker[Session], a_division: int
) -> None:
    mixed = select(Division).where(Division.id.in_(select(db.Base.metadata.tables["agent"].c.division_id)))
    for _ in range(2):
        with reading(sessions) as session, statements(sessions) as said:
            assert session.scalars(mixed).all() == []
            assert len(said) == 1


def test_who_changes_one_table_waits_for_nobody_who_changes_another(
    sessions: sessionmaker[Session], a_division: int
) -> None:
    with sessions.begin() as session:
        db.allow_clock_changes(session)  # the version of the clock's table is locked until the end
        with sessions.begin() as other:
            other.execute(update(Division).where(Division.id == a_division).values(name="别名"))


def test_every_table_of_reference_data_draws_its_version(sessions: sessionmaker[Session], app: Flask) -> None:
    with sessions() as session:
        tables = set(session.scalars(select(ReferenceVersion.table)))
    assert tables == {mapped.__tablename__ for mapped in REFERENCE}
    assert ServiceCentre.__tablename__ in tables
