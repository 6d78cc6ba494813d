"""The program over every scene, in one database: what a test does there is undone, and what was written is seen."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session, sessionmaker

from db import Base
from dispatch.acts.act import perform
from dispatch.core.actor import SYSTEM, Actor, Role
from tests.web.conftest import signed_in_client
from tests.web.parity.doors import Door, doors_of
from tests.web.parity.scenes import Scenes, make_scenes
from tests.web.world import World, app_over
from web.wiring.auth import person_of

Mark = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Program:
    """The application, who uses it, and the scenes in which they do."""

    app: Flask
    world: World
    scenes: Scenes
    actors: dict[Role, Actor]
    doors: list[Door]
    homes: dict[type, str] = field(default_factory=dict)

    def doors_of(self, act: type) -> list[Door]:
        """The doors that offer it."""
        return [door for door in self.doors if door.act is act]

    @contextmanager
    def undone(self) -> Iterator[Connection]:
        """Everything in this block happens on one connection, in savepoints, and is taken back at its end."""
        factory: sessionmaker[Session] = self.app.extensions["daiban.sessions"]
        with factory.kw["bind"].connect() as connection:
            everything = connection.begin()
            self.app.extensions["daiban.sessions"] = sessionmaker(
                connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
            )
            try:
                yield connection
            finally:
                self.app.extensions["daiban.sessions"] = factory
                everything.rollback()

    def client(self, role: Role) -> FlaskClient:
        """A browser in which this person has signed in."""
        return signed_in_client(self.app, self.world.accounts[role])

    def take(self, command: Any, role: Role, *, client_id: uuid.UUID | None = None) -> Any:
        """Perform a command in a transaction of its own, without any door."""
        with self.app.extensions["daiban.sessions"].begin() as session:
            return perform(session, command, self.actors[role], client_id=client_id)


def mark(connection: Connection) -> Mark:
    """How many rows each table has, and the latest transaction that wrote to one: equal marks, nothing written.

    A row that is only locked keeps its mark; one that was written and taken back is not there."""
    return {name: (rows, latest) for name, rows, latest in connection.execute(text(_MARKS))}


BESIDE = frozenset({"intake_draft", "login_session", "security_event", "kept_upload"})
"""What the test itself keeps for a door, the sessions that it begins, the log of who was shut out, whose a file is."""
_MARKS = " UNION ALL ".join(
    f"SELECT '{table.name}', count(*), coalesce(max(xmin::text::bigint), 0) FROM {table.name}"
    for table in Base.metadata.sorted_tables
    if table.name not in BESIDE
)


def make_program(postgres: str, county_database: str, folder: Path) -> Program:
    """The application over the world that world.py makes, and over every scene of it."""
    app = app_over(postgres, county_database, f"parity_{os.getpid()}", folder)
    world: World = app.extensions["world"]
    sessions: sessionmaker[Session] = app.extensions["daiban.sessions"]
    with sessions() as session:
        actors = {
            role: person_of(session, session.get_one(type(account), account.id)).viewer
            for role, account in world.accounts.items()
        }
    scenes = make_scenes(sessions, world, actors)
    return Program(app, world, scenes, {**actors, Role.SYSTEM: SYSTEM}, doors_of(app))
