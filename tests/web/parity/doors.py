"""Doors: every address that offers an act, how a command is sent there, and what came of it."""

import dataclasses
import html
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.acts.act import RULES
from dispatch.acts.asking import RequestProject
from dispatch.acts.named_rows import ROWS
from dispatch.core.actor import Role
from tests.web.parity.drafts import DRAFTED
from tests.web.parity.excuses import NOT_ASKED
from tests.web.parity.forms import BY_THE_HOUSE, UPLOADS, WRITTEN
from tests.web.parity.good_data import good
from tests.web.parity.values import ARGUMENT, as_form, as_json, kinds_of
from tests.web.world import ArgsOf
from web.wiring.login_sessions import account_of_session

PEOPLE = frozenset(role for role in Role if role is not Role.SYSTEM)
KIND_AT: Mapping[str, object] = {ARGUMENT[kind]: kind for kind in ROWS if kind in ARGUMENT}


@dataclass(frozen=True)
class Door:
    """One address that offers one act, and the word that tells it from others offered there."""

    method: str
    rule: str
    endpoint: str
    names: tuple[str, ...]
    act: type
    word: Mapping[str, str] = field(hash=False)
    found_by: frozenset[Role]

    def __str__(self) -> str:
        return f"{self.act.__name__}@{self.rule}"

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/")

    @property
    def roles(self) -> list[Role]:
        """Who may take the act here."""
        return sorted(self.found_by & RULES[self.act].by & PEOPLE)

    @property
    def ids(self) -> list[str]:
        """The ids in the address and in what the door asks for, by their name in addresses."""
        not_asked = {field for act, rule, field in NOT_ASKED if (act, rule) == (self.act.__name__, self.rule)}
        return sorted(
            {name for name in self.names if name in KIND_AT}
            | {ARGUMENT[kind] for kind in kinds_of(self.act, but=not_asked)}
        )

    @property
    def in_address(self) -> set[str]:
        """The fields of the command that stand in the address."""
        left, found = set(self.names), set()
        for name, hint in RULES[self.act].hints.items():
            if ARGUMENT.get(hint) in left or name in left:
                left -= {ARGUMENT.get(hint), name}
                found.add(name)
        return found


def doors_of(app: Flask) -> list[Door]:
    """Each door and act."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        for act, word in getattr(view, "offered_acts", {}).items():
            method = min((rule.methods or set()) - {"HEAD", "OPTIONS", "GET"})
            found.append(
                Door(method, rule.rule, rule.endpoint, tuple(sorted(rule.arguments)), act, word, view.allowed_roles)  # type: ignore[attr-defined]
            )
    return found


@dataclass(frozen=True, repr=False)
class Answer:
    """What a door answered, as the person or the program reads it."""

    status: int
    location: str
    text: str

    def __repr__(self) -> str:
        said = re.findall(r'!.*|"detail":"[^"]*"|"errors":.*|class="(?:error|notice bad)"[^>]*>[^<]*', self.text)
        return f"{self.status} {self.location} {said}"

    @property
    def is_refused(self) -> bool:
        return self.status >= 400 or "!error" in self.text


def send(
    app: Flask, client: FlaskClient, door: Door, wanted: Any, known: ArgsOf, *, client_id: uuid.UUID | None = None
) -> tuple[Any, Answer]:
    """Send the command as this door takes it: what stands in the address, and the rest as JSON or as a form.

    Returns what is to arrive, where the page says it in its own way, and the answer."""
    plain = {name: known[name] for name in door.in_address if RULES[door.act].hints[name] not in ARGUMENT}
    wanted = dataclasses.replace(wanted, **{name: value for name, value in plain.items() if name in known})
    body = {name: getattr(wanted, name) for name in RULES[door.act].hints if name not in door.in_address}
    address = app.url_map.bind("localhost").build(
        door.endpoint, {name: known.get(name, 1) for name in door.names}, method=door.method
    )
    headers = {"Idempotency-Key": str(client_id)} if client_id is not None and door.is_api else {}
    if door.method == "DELETE":
        query = {name: as_form(value) for name, value in body.items() if value is not None}
        return wanted, _read(client, client.open(address, method="DELETE", query_string=query, headers=headers))
    if door.is_api and door.act not in UPLOADS:
        said = {**door.word, **{name: as_json(value) for name, value in body.items() if name not in BY_THE_HOUSE}}
        return wanted, _read(client, client.open(address, method=door.method, json=said, headers=headers))
    form = {**door.word, **{name: as_form(value) for name, value in body.items() if value is not None}}
    if client_id is not None:
        form["client_id"] = str(client_id)
    if (write := WRITTEN.get((door.act, door.rule)) or WRITTEN.get((door.act, ""))) is not None:
        wanted, form = write(wanted, form, known)
    if (keep := DRAFTED.get((door.act, door.rule))) is not None and not getattr(client, "has_drafted", False):
        client.has_drafted = True  # type: ignore[attr-defined]
        with client.session_transaction() as cookie, app.extensions["daiban.sessions"].begin() as session:
            found = account_of_session(session, str(cookie["_user_id"]))
            assert found is not None
            keep(session, found.account.id, wanted, known, good(RequestProject, known))
    filled = {name: value for name, value in form.items() if value is not None}
    return wanted, _read(client, client.open(address, method=door.method, data=filled, headers=headers))


def _read(client: FlaskClient, response: TestResponse) -> Answer:
    """The answer with what is said on the next page; tokens and ids that each form gets anew are left out."""
    with client.session_transaction() as cookie:
        said = [f"!{category}: {words}" for category, words in cookie.pop("_flashes", [])]
    text = html.unescape(response.get_data(as_text=True))
    text = re.sub(r'(name="(?:csrf_token|csrf-token|client_id|event_id)" (?:value|content))="[^"]*"', r"\1", text)
    text = re.sub(r'(<input [^>]*id="division"[^>]*) value="[^"]*"', r"\1", text)  # the place that was typed, said back
    text = re.sub(r"\b\d{1,2}:\d{2}\b", "", text)  # the clock in a page's head
    return Answer(response.status_code, response.headers.get("Location", ""), "\n".join([text, *said]))
