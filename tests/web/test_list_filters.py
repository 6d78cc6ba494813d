"""Filters of lists: each keeps just what it says, its values together are the whole, and odd ones break nothing."""

import os
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dispatch.cases.evaluation import TicketKind, TicketState
from dispatch.cases.obligations.obligation import OwnerKind
from dispatch.core.actor import Role
from dispatch.custody.parcel import ParcelState
from notifications.message import State
from routing.day.day_plan import PlanState
from tests.dispatch.builders import MONDAY
from tests.web.conftest import signed_in_client
from tests.web.world import World, app_over
from web.wiring import cursors


@pytest.fixture(scope="module")
def app(postgres: str, county_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the world that world.py makes."""
    folder = tmp_path_factory.mktemp("filters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAIBAN_HOME", str(folder))
        made = app_over(postgres, county_database, f"filters_{os.getpid()}", folder)
        yield made
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture(scope="module")
def world(app: Flask) -> World:
    found: World = app.extensions["world"]
    return found


@pytest.fixture(scope="module")
def lead(app: Flask, world: World) -> FlaskClient:
    return signed_in_client(app, world.accounts[Role.LEAD])


def items(client: FlaskClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1{address}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["items"]
    return found


@pytest.mark.parametrize(
    ("name", "field", "values", "key"),
    [
        ("tickets", "kind", TicketKind, "kind"),
        ("tickets", "state", TicketState, "state"),
        ("parcels", "state", ParcelState, "state"),
        ("plans", "state", PlanState, "state"),
        ("messages", "state", State, "state"),
        ("obligations", "owner", OwnerKind, None),
    ],
)
def test_the_values_of_a_filter_share_the_list_out(
    lead: FlaskClient, name: str, field: str, values: type[StrEnum], key: str | None
) -> None:
    whole = items(lead, f"/{name}?limit=200")
    parts = {value: items(lead, f"/{name}?limit=200&{field}={value.value}") for value in values}
    assert whole
    assert sorted(map(str, whole)) == sorted(str(row) for rows in parts.values() for row in rows)
    assert key is None or all(row[key] == value.value for value, rows in parts.items() for row in rows)


def test_a_case_and_a_day_are_filters_too(lead: FlaskClient, world: World) -> None:
    case_no = world.ours["case_no"]
    assert {row["case_no"] for row in items(lead, f"/parcels?case_no={case_no}")} == {case_no}
    assert items(lead, "/parcels?case_no=320412-20261123-99999") == []
    assert items(lead, f"/plans?on={MONDAY}") + items(lead, f"/plans?on={MONDAY.replace(day=24)}") == items(
        lead, "/plans"
    )


def number(world: World) -> str:
    return str(world.ours["project_no"])


@pytest.mark.parametrize(
    ("address", "is_there"),
    [
        ("/team/projects?q={project_no}", True),
        ("/team/projects?q=没有这个名字", False),
        ("/team/projects?state=active", True),
        ("/team/projects?state=closed", False),
        ("/team/projects?page=1", True),
        ("/team/projects?page=2", False),
    ],
)
def test_projects_are_found_by_words_by_state_and_page_by_page(
    lead: FlaskClient, world: World, address: str, is_there: bool
) -> None:
    values = {"project_no": number(world)}
    page = lead.get(address.format(**values))
    assert page.status_code == 200
    assert (f"/team/projects/{number(world)}" in page.text) == is_there


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/team/tickets?state=open", "何时办结"),
        ("/team/inbox?q={case_no}&who=all", "{case_no}"),
        ("/team/outbox?case={case_no}", "{case_no}"),
        ("/team/outbox?state=queued&cursor=1000000", "{case_no}"),
        ("/team/catalog?family=industrial_permit", "IND-104"),
        ("/team/evaluations?state=verify", "{case_no}"),
    ],
)
def test_a_page_keeps_what_fits_its_filter(lead: FlaskClient, world: World, address: str, words: str) -> None:
    values = {"case_no": str(world.ours["case_no"]), "later": cursors.encode(10**6)}
    page = lead.get(address.format(**values))
    assert page.status_code == 200
    assert words.format(**values) in page.text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/team/tickets?state=answered", "何时办结"),
        ("/team/inbox?q=320499&who=all", "{case_no}"),
        ("/team/outbox?state=delivered", "{case_no}"),
        ("/team/outbox?cursor=1", "{case_no}"),
        ("/team/catalog?family=business_opening", "IND-104"),
        ("/team/evaluations?state=answered", "{case_no}"),
    ],
)
def test_a_page_leaves_out_what_does_not(lead: FlaskClient, world: World, address: str, words: str) -> None:
    values = {"case_no": str(world.ours["case_no"]), "earlier": cursors.encode(1)}
    main = lead.get(address.format(**values)).text.partition("<main")[2]
    assert main
    assert words.format(**values) not in main.replace(f'value="{values["case_no"]}"', "")


def test_a_value_that_no_list_knows_is_taken_for_none(lead: FlaskClient) -> None:
    addresses = ("projects?state=x", "tickets?state=x", "outbox?state=x", "evaluations?state=x", "catalog?family=x")
    assert [lead.get(f"/team/{each}").status_code for each in addresses] == [200] * len(addresses)
