"""Forms of pages: what each asks for, found by opening the pages of every scene as those who may."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from dispatch.acts.act import RULES
from dispatch.core.actor import Role
from tests.web.parity.doors import Door
from tests.web.parity.forms import WRITTEN
from tests.web.parity.program import Program
from tests.web.parity.values import command_of
from tests.web.world import ArgsOf

EVERY_FORM = frozenset({"csrf_token", "client_id"})
LOOKING = (Role.ENTERPRISE, Role.OPERATOR, Role.COURIER)
"""As whom pages are opened: the enterprise's, the team's with all that may be done there, the phone's."""


@dataclass
class Form:
    """A form that is sent to a door: from which page, and the names of its fields."""

    page: str
    action: str
    names: set[str] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms that write."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms, self.open = page, list[Form](), None  # type: tuple[str, list[Form], Form | None]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.open = Form(self.page, given.get("action") or self.page) if given.get("method") == "post" else None
            self.forms += [] if self.open is None else [self.open]
        elif tag in {"input", "select", "textarea", "button"} and given.get("name") and self.open is not None:
            self.open.names.add(given["name"])
            self.open.values.setdefault(given["name"], set()).add(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None


def forms_of(program: Program, homes: Mapping[Door, ArgsOf]) -> dict[str, list[Form]]:
    """The forms of all pages, by the endpoint that takes them."""
    found: dict[str, list[Form]] = {}
    adapter = program.app.url_map.bind("localhost")
    for page, text in _pages(program, homes):
        reader = _Forms(page)
        reader.feed(text)
        for form in reader.forms:
            try:
                endpoint, _ = adapter.match(urlsplit(form.action).path, method="POST")
            except HTTPException:
                continue
            found.setdefault(endpoint, []).append(form)
    return found


def _pages(program: Program, homes: Mapping[Door, ArgsOf]) -> Iterator[tuple[str, str]]:
    """The pages beside each door, in the scene in which its act goes through, as those who may open them."""
    adapter, seen = program.app.url_map.bind("localhost"), set[tuple[Role, str]]()
    clients = {role: program.client(role) for role in LOOKING}
    for door, known in homes.items():
        for rule in program.app.url_map.iter_rules():
            if not _is_beside(rule, door):
                continue
            address = adapter.build(rule.endpoint, {name: known[name] for name in rule.arguments})
            allowed = getattr(program.app.view_functions[rule.endpoint], "allowed_roles", frozenset())
            for role in LOOKING:
                if role not in allowed or (role, address) in seen:
                    continue
                seen.add((role, address))
                with program.undone(), clients[role].get(address) as answer:  # a file among them is closed again
                    is_page = answer.status_code == 200 and answer.mimetype == "text/html"
                    page = answer.get_data(as_text=True) if is_page else ""
                if page:
                    yield address, page


def _is_beside(rule: Rule, door: Door) -> bool:
    """A page of the same blueprint that needs nothing which the door does not name."""
    same = rule.endpoint.split(".")[0] == door.endpoint.split(".")[0]
    return same and "GET" in (rule.methods or set()) and rule.arguments <= set(door.names)


def plainly(name: str) -> str:
    """A field's name without the number of its line or row."""
    return re.sub(r"(?:-?[A-Z]{2}\d{9}[A-Z]{2}|\d+)$", "", name)


def fields_taken(door: Door, known: ArgsOf) -> set[str]:
    """The names that a form may have which is sent to this door, plainly."""
    left = {name for name in RULES[door.act].hints if name not in door.in_address}
    filled = dict.fromkeys(left, "7")
    if (write := WRITTEN.get((door.act, door.rule)) or WRITTEN.get((door.act, ""))) is not None:
        filled = write(command_of(door.act, known), filled, known)[1]
    return {plainly(name) for name in {*left, *filled, *door.word}} | EVERY_FORM
