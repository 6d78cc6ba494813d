"""Reference data: the network, the catalogue, the calendar, texts and the clock, read once by a process for its pages.

The database draws another version whenever a row of them changes. A request that only reads learns the version with
its first statement, and is answered from what the process has read under it. Acts, jobs and commands read every row
themselves.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Result, Select, Table, Text, cast, event, func, literal, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine.result import FrozenResult
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column
from sqlalchemy.orm.loading import merge_frozen_result
from sqlalchemy.sql.selectable import FromClause, ScalarSelect
from sqlalchemy.sql.visitors import iterate

from agents.network import Division, DivisionAlias, ServiceCentre
from db import REFERENCE_VERSION, Base, ClockOffset
from dispatch.cases.duration_training import FittedDurations
from dispatch.catalogue.area_evaluation import AreaEvaluation
from dispatch.catalogue.calendar_tables import CalendarDay, OpeningHours
from dispatch.catalogue.calendar_version import CalendarVersion
from dispatch.catalogue.implementation import Implementation
from dispatch.catalogue.matter import Matter, MatterPrerequisite, Requirement
from notifications.texts import TextVersion

MOST_KEPT = 4000  # answers of a process


class ReferenceVersion(Base):
    """A row a table of REFERENCE: another version whenever a row of it changes, which the database itself sees to.

    Each table has its own, so that who changes one waits for nobody who changes another."""

    __tablename__ = "reference_version"

    table: Mapped[str] = mapped_column("table_name", primary_key=True)
    version: Mapped[UUID]


def all_versions() -> ScalarSelect[str]:
    """The versions of all tables in one word, as a part of a statement; NULL where no table has one."""
    each = cast(ReferenceVersion.version, Text)
    return select(func.string_agg(each, aggregate_order_by(literal(""), ReferenceVersion.table))).scalar_subquery()


REFERENCE: tuple[type[Base], ...] = (
    AreaEvaluation, CalendarDay, CalendarVersion, ClockOffset, Division, DivisionAlias, FittedDurations, Implementation,
    Matter, MatterPrerequisite, OpeningHours, Requirement, ServiceCentre, TextVersion,
)  # fmt: skip
_TABLES = frozenset(mapped.__table__ for mapped in REFERENCE)
_MAPPERS = frozenset(mapped.__mapper__ for mapped in REFERENCE)

# As the migrations make them, for tables that are made without.
_DRAW = """
CREATE OR REPLACE FUNCTION draw_reference_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.reference_version (table_name, version) VALUES (%L, gen_random_uuid())'
                   ' ON CONFLICT (table_name) DO UPDATE SET version = excluded.version',
                   TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
END $$
"""


def _draw_version_after_change(table: FromClause) -> None:
    assert isinstance(table, Table)
    name = table.name

    def make_trigger(_table: object, connection: Connection, **_options: object) -> None:
        connection.execute(text(_DRAW))
        connection.execute(
            text(
                f"CREATE TRIGGER {name}_draws_reference_version"
                f" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name}"
                " FOR EACH STATEMENT EXECUTE FUNCTION draw_reference_version()"
            )
        )

    event.listen(table, "after_create", make_trigger)


for _table in _TABLES:
    _draw_version_after_change(_table)


class _Answers:
    """What was read under one version; another version empties it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version: str | None = None
        self._kept: OrderedDict[Any, FrozenResult[Any]] = OrderedDict()
        self._is_reference: dict[Any, bool] = {}

    def is_reference(self, form: Any, statement: Select[Any]) -> bool:
        """Whether a statement of this form reads nothing but reference data."""
        known = self._is_reference.get(form)
        if known is None:
            tables = {part for part in iterate(statement) if isinstance(part, Table)}
            known = bool(tables) and tables <= _TABLES
            if len(self._is_reference) >= MOST_KEPT:
                self._is_reference.clear()
            self._is_reference[form] = known
        return known

    def get(self, version: str, asked: Any) -> FrozenResult[Any] | None:
        with self._lock:
            if version != self._version:
                return None
            return self._kept.get(asked)

    def keep(self, version: str, asked: Any, answer: FrozenResult[Any]) -> None:
        with self._lock:
            if version != self._version:
                self._version = version
                self._kept.clear()
            self._kept[asked] = answer
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


_answers = _Answers()


@event.listens_for(Session, "do_orm_execute")
def _answer_from_reference(state: ORMExecuteState) -> Result[Any] | None:
    """The rows of the process where a reading request asks for reference data alone; else the database is asked."""
    version = state.session.info.get(REFERENCE_VERSION)
    if version is None or not state.is_select or state.is_relationship_load or state.is_column_load:
        return None
    if not _MAPPERS.issuperset(state.all_mappers):
        return None
    statement = state.statement
    if not isinstance(statement, Select) or statement._for_update_arg is not None:
        return None
    if state.execution_options.get("populate_existing"):  # who says so wants the row as it is now
        return None
    form = statement._generate_cache_key()
    if form is None or not _answers.is_reference(form.key, statement):
        return None
    given = state.parameters or {}
    if not isinstance(given, dict):
        return None
    bound = tuple(_hashable(given.get(p.key, p.effective_value)) for p in form.bindparams)
    asked = (form.key, bound)
    kept = _answers.get(version, asked)
    if kept is None:
        kept = _read(state, statement)
        _answers.keep(version, asked, kept)
    merged: Result[Any] = merge_frozen_result(state.session, statement, kept, load=False)()  # type: ignore[no-untyped-call]
    return merged


def _read(state: ORMExecuteState, statement: Select[Any]) -> FrozenResult[Any]:
    """Rows of nobody's session, so that no other's end or fault touches them."""
    with Session(state.session.connection(), expire_on_commit=False, join_transaction_mode="rollback_only") as apart:
        found = apart.execute(statement, state.parameters, execution_options=state.execution_options).freeze()
        apart.expunge_all()
        apart.commit()  # of nothing: the connection's transaction goes on
    return found


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else value
