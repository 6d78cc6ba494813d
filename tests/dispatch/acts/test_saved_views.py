"""A person keeps the filters of lists by name; nobody else sees them, and a name stands for the last one kept."""

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.saved_views import MOST_VIEWS, DropView, SaveView, canonical_query
from dispatch.cases.saved_view import ListName, SavedView
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.views.saved_views import saved_views
from tests.dispatch.builders import County, acting


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


@pytest.fixture
def lead(county: County) -> Actor:
    return acting(county, county.lead)


def names(county: County, viewer: Actor, of: ListName | None = None) -> list[str]:
    return [line.name for line in saved_views(county.session, viewer, of)]


def test_a_view_is_its_owners_alone(county: County, agent: Actor, lead: Actor) -> None:
    perform(county.session, SaveView(list_name=ListName.CASES, name=" 红牌 ", query="?lamp=red&page=3"), lead)
    perform(county.session, SaveView(list_name=ListName.OWED, name="红牌", query="due=overdue"), lead)
    [line] = saved_views(county.session, lead, ListName.CASES)
    assert (line.name, line.query) == ("红牌", "lamp=red")
    assert names(county, lead) == ["红牌", "红牌"]
    assert names(county, agent) == []


def test_the_same_name_keeps_what_is_asked_for_now(county: County, lead: Actor) -> None:
    for query in ("lamp=red", "lamp=amber"):
        perform(county.session, SaveView(list_name=ListName.CASES, name="急", query=query), lead)
    assert county.session.scalars(select(SavedView.query)).all() == ["lamp=amber"]


def test_a_view_is_let_go_by_its_owner_alone(county: County, agent: Actor, lead: Actor) -> None:
    perform(county.session, SaveView(list_name=ListName.CASES, name="急"), lead)
    drop = DropView(list_name=ListName.CASES, name="急")
    assert not perform(county.session, drop, agent).was_there
    assert perform(county.session, drop, lead).was_there
    assert not perform(county.session, drop, lead).was_there
    assert names(county, lead) == []


def test_a_name_and_a_place_for_it_are_needed(county: County, lead: Actor) -> None:
    with pytest.raises(Refused):
        perform(county.session, SaveView(list_name=ListName.CASES, name="\u200b"), lead)
    for n in range(MOST_VIEWS):
        perform(county.session, SaveView(list_name=ListName.CASES, name=f"第{n}个"), lead)
    with pytest.raises(Refused):
        perform(county.session, SaveView(list_name=ListName.CASES, name="再一个"), lead)
    perform(county.session, SaveView(list_name=ListName.CASES, name="第0个", query="lamp=red"), lead)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("page=2&cursor=abc", ""),
        ("q=精机&lamp=&stage=filed", "q=%E7%B2%BE%E6%9C%BA&stage=filed"),
        ("?q=a%26b", "q=a%26b"),
        ("//elsewhere.example/", ""),
    ],
)
def test_a_query_keeps_what_says_something(typed: str, kept: str) -> None:
    assert canonical_query(typed) == kept
