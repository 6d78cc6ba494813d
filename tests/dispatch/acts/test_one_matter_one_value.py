"""One fact, one computation: every reader says the same of each matter of the catalogue, wherever a project stands."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

import db
from agents.network import Division
from dispatch.acts.act import perform
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.deriving import DeriveLimits
from dispatch.cases.lookups import reviews_of
from dispatch.cases.matter_on_project import MatterOnProject
from dispatch.cases.project_path import matters_on_project, project_path
from dispatch.catalogue.area_evaluation import AreaEvaluation, AreaKind
from dispatch.catalogue.implementation import Implementation
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import ContactId
from dispatch.core.limit import Limit, law_words, limit_form, limits_words, promise_words
from dispatch.core.three_clocks import ClockOf
from dispatch.path.matter_node import WHOSE, AreaEffect
from dispatch.path.seven_lists import group_name
from dispatch.views.case_resource import case_detail
from dispatch.views.enterprise_case import case_page
from dispatch.views.enterprise_intake import offers
from dispatch.views.lists import lists_page
from dispatch.views.path_page import path_page
from dispatch.views.team_case import case_page as team_case_page
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, WUJIN, County, an_enterprise

OTHER_TOWN = "320412101000"
FACTS: Mapping[Family, Mapping[str, Any]] = {
    Family.INDUSTRIAL_PERMIT: {"land": "granted", "complex_works": True, "floor_area_m2": 60_000, "eia": "form"},
}


@pytest.fixture
def places(county: County) -> tuple[str, ...]:
    """A county, a town of it, and a town with its own hand on two matters and with evaluations of its own."""
    session = county.session
    session.info.pop(db.REFERENCE_VERSION, None)  # rules are read from the rows that are written here
    town = session.scalars(select(Division).where(Division.code == OTHER_TOWN)).one()
    for kind in (AreaKind("environment"), AreaKind("water_and_soil")):
        session.add(
            AreaEvaluation(division_id=town.id, kind=kind, valid_from=date(2026, 1, 1), valid_to=date(2030, 12, 31))
        )
    for code, values in (
        (
            "IND-203",
            {"authority": "牛塘镇审批服务局", "committed_limit": Limit(4), "counter_place": "牛塘镇为民服务中心"},
        ),
        ("IND-107", {"statutory_limit": Limit(20)}),
        ("BIZ-02", {"same_day": True, "legal_fee_cents": 500, "fee_basis": "某标准"}),
    ):
        matter_id = session.scalars(select(Matter.id).where(Matter.code == code)).one()
        session.add(Implementation(matter_id=matter_id, division_id=town.id, **values))
    session.flush()
    return WUJIN, county.town.code, OTHER_TOWN


def decided_by_an_authority(county: County, family: Family) -> tuple[str, ...]:
    rows = county.session.scalars(select(Matter).where(Matter.family == family, Matter.retired_on.is_(None)))
    return tuple(matter.code for matter in rows if WHOSE[matter.kind] is ClockOf.AUTHORITY)


@pytest.mark.parametrize("family", Family)
def test_all_readers_agree(county: County, places: tuple[str, ...], family: Family) -> None:
    session, codes = county.session, decided_by_an_authority(county, family)
    facts = FACTS.get(family, {})
    for n, place in enumerate(places):
        offered = {
            offer.code: (offer.limits, offer.authority, offer.counter)
            for phase in offers(session, county.lead, division_code=place, family=family, facts=facts, on=MONDAY)
            for offer in phase.offers
        }
        _, contact, viewer = an_enterprise(session, phone=f"+861381234570{n}", name=f"第{n}家公司")
        asked = RequestProject(
            name="新建厂房", family=family, site=SiteGiven(place), matters=codes, facts=dict(facts),
            contact_id=ContactId(contact.id), is_state_secret=False,
        )  # fmt: skip
        case = steps.request(session, asked, by=viewer, at=TEN)
        mine = matters_on_project(session, case.project, codes, at=TEN)
        assert mine.keys() == set(codes) == offered.keys()
        for code in codes:
            one = mine[code]
            assert offered[code] == (limits_words(one.statutory, one.committed), one.authority, one.counter), code
        agrees(county, case.case_no, viewer, mine)


def test_an_import_reaches_every_reader(county: County, places: tuple[str, ...]) -> None:
    session, codes = county.session, ("IND-101", "IND-203", "IND-107")
    _, contact, viewer = an_enterprise(session)
    asked = RequestProject(
        name="新建厂房", family=Family.INDUSTRIAL_PERMIT, site=SiteGiven(OTHER_TOWN), matters=codes,
        contact_id=ContactId(contact.id),
    )  # fmt: skip
    case = steps.request(session, asked, by=viewer, at=TEN)
    filed = next(review for review in reviews_of(session, case) if review.matter.code == "IND-203")
    was = filed.authority
    row = session.scalars(select(Implementation).join(Matter).where(Matter.code == "IND-203")).one()
    row.authority, row.committed_limit = "武进区综合审批局", Limit(3)
    session.flush()
    perform(session, DeriveLimits(with_catalogue=True), SYSTEM, at=TEN)
    assert (was, filed.authority, filed.committed_limit) == ("牛塘镇审批服务局", "武进区综合审批局", Limit(3))
    agrees(county, case.case_no, viewer, matters_on_project(session, case.project, codes, at=TEN))


def agrees(county: County, case_no: str, viewer: Any, mine: Mapping[str, MatterOnProject]) -> None:
    """The row of each review, both pages of the case, its JSON, the path's page and the seven lists."""
    session = county.session
    page = case_page(session, viewer, case_no, at=TEN)
    project_no = page.project_no
    api = {review.matter: review for review in case_detail(session, county.lead, case_no).reviews}
    team = {line.matter.code: line for line in team_case_page(session, county.lead, case_no, at=TEN).reviews}
    by_review = {row.review_id: row for row in page.matters}
    path = {line.code: line for line in path_page(session, county.lead, project_no, at=TEN).lines}
    sheet = lists_page(session, county.lead, project_no, at=TEN).lists
    listed = {row[0]: row for row in next(one for one in sheet if one.key == "matters").rows}
    whole = project_path(session, next(iter(team.values())).review.case.project, at=TEN)
    assert whole is not None and {code: whole.matters[code] for code in mine} == dict(mine)
    for code, one in mine.items():
        review, row = team[code].review, by_review[team[code].review.id]
        law, promise = law_words(one.statutory), promise_words(one.committed)
        assert (review.statutory_limit, review.committed_limit) == (one.statutory, one.committed), code
        assert (review.same_day, review.joint_cap, review.centre_no) == (one.same_day, one.joint_cap, one.centre_no)
        assert {review.authority, row.authority, api[code].authority, listed[code][3]} == {one.authority}, code
        assert {review.counter, row.counter, api[code].counter} == {one.counter}, code
        assert {team[code].law, row.law, path[code].law, listed[code][5]} == {law}, code
        if one.effect is not AreaEffect.REPLACE:
            assert {team[code].promise, row.promise, path[code].promise, listed[code][6]} == {promise}, code
        assert api[code].statutory_limit == limit_form(one.statutory)
        assert api[code].committed_limit == limit_form(one.committed)
        assert listed[code][8] == group_name(one.joint_group)
        assert [on for on, _, _ in path[code].waits] == list(one.before_decision)
        assert set(one.before_filing) <= set(one.before_decision)
