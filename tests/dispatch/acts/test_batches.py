"""Batches: one letter covers all, and the day's mistake is taken back without what somebody has gone on with."""

from datetime import timedelta

import pytest

from dispatch.acts.act import perform
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.acts.batching import GatherBatch, SignBatch, UndoBatch
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.early_ends import WithdrawCase
from dispatch.cases.case import Case, Way
from dispatch.cases.derived import differences
from dispatch.cases.project import Power, Project, ProjectState
from dispatch.cases.stages import Stage
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.ids import BatchId, CaseNo, ContactId, ProjectNo
from dispatch.views.enterprise_turns import Turn
from dispatch.views.project_batches import batch_codes, batch_page, batches, loose_projects
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, a_request, acting, an_enterprise

PEOPLE = (AuthorisedPerson("王经理", "13812345678"),)


def project_of(county: County, case: Case) -> Project:
    return county.session.get_one(Project, case.project_id)


def asked_for(county: County, first: Case, by: Actor) -> list[Project]:
    """Three more requests of the enterprise whose case this is."""
    site = SiteGiven(county.town.code, address="湖塘镇人民东路1号")
    made = [
        RequestProject(
            name=f"{n}号厂房", family=Family.INDUSTRIAL_PERMIT, site=site, matters=("IND-104",),
            contact_id=ContactId(first.contact_id),
        )
        for n in ("一", "二", "三")
    ]  # fmt: skip
    return [project_of(county, steps.request(county.session, one, by=by, at=TEN)) for one in made]


def three(county: County) -> tuple[list[Project], Actor]:
    """Three requests of one enterprise, and whoever made them."""
    case, owner = a_request(county)
    owner = acting(county, owner)
    perform(county.session, WithdrawCase(case=CaseNo(case.case_no), reason="另行申请"), owner, at=TEN)
    return asked_for(county, case, owner), owner


def gathered(county: County, rows: list[Project], by: Actor, name: str = "东区") -> BatchId:
    numbers = tuple(ProjectNo(row.project_no) for row in rows)
    return BatchId(perform(county.session, GatherBatch(projects=numbers, name=name), by, at=TEN).batch_id)


def a_letter(batch: BatchId) -> SignBatch:
    return SignBatch(
        batch=batch, legal_representative="张法人", powers=(Power.SUBMIT, Power.RECEIVE), people=PEOPLE,
        valid_to=MONDAY + timedelta(days=200),
    )  # fmt: skip


def test_projects_that_belong_together_are_one_line_with_what_waits(county: County) -> None:
    rows, owner = three(county)
    assert len(loose_projects(county.session, owner)) == 3
    batch = gathered(county, rows[:2], owner)
    (line,) = batches(county.session, owner)
    assert (line.batch_id, line.name, line.projects, line.undone_at) == (batch, "东区", 2, None)
    page = batch_page(county.session, owner, batch, at=TEN)
    assert (page.waiting(Turn.SIGN_LETTER), page.may_sign, page.may_undo, page.ended) == (2, True, True, 0)
    assert [one.project_no for one in loose_projects(county.session, owner)] == [rows[2].project_no]
    codes = batch_codes(county.session, owner, batch)
    assert [one.project_no for one in codes] == [row.project_no for row in rows[:2]]
    assert all(one.query_code for one in codes)
    with pytest.raises(WrongStage, match="is in batch"):
        gathered(county, rows[1:], owner)


def test_one_letter_covers_every_project_that_has_none(county: County) -> None:
    rows, owner = three(county)
    batch = gathered(county, rows, owner)
    signed = perform(county.session, a_letter(batch), owner, at=TEN)
    assert signed.signed == tuple(row.project_no for row in rows)
    for row in rows:
        letter = row.delegation_on(MONDAY)
        assert letter is not None and letter.allows(Power.RECEIVE, MONDAY) and not letter.allows(Power.CORRECT, MONDAY)
        assert [person.name for person in letter.recipients] == ["王经理"]
    assert not batch_page(county.session, owner, batch, at=TEN).may_sign
    with pytest.raises(WrongStage, match="needs no letter"):
        perform(county.session, a_letter(batch), owner, at=TEN)


def test_a_batch_is_taken_back_on_its_day_without_what_is_being_worked_on(county: County) -> None:
    session = county.session
    case, owner = a_prescreened_case(county, matters=("IND-101",), pickup_way=Way.ELECTRONIC)
    owner = acting(county, owner)
    rows = asked_for(county, case, owner)
    batch = gathered(county, [project_of(county, case), *rows], owner)
    undo = UndoBatch(batch=batch, reason="表格填错了")
    with pytest.raises(WrongStage, match="of another day"):
        perform(session, undo, owner, at=TEN + timedelta(days=1))
    done = perform(session, undo, owner, at=TEN)
    assert done.taken_back == tuple(row.project_no for row in rows)
    assert done.kept == (project_of(county, case).project_no,) and case.stage is Stage.PRESCREENED
    assert {row.state for row in rows} == {ProjectState.CLOSED}
    session.flush()
    assert [str(one) for one in differences(session, at=TEN)] == []
    page = batch_page(session, owner, batch, at=TEN)
    assert (page.ended, page.undo_reason, page.may_undo) == (3, "表格填错了", True)
    with pytest.raises(Refused):
        perform(session, undo, owner, at=TEN)


def test_nobody_else_finds_the_batch(county: County) -> None:
    rows, owner = three(county)
    batch = gathered(county, rows, owner)
    _, _, stranger = an_enterprise(county.session, phone="+8613812345699", name="江阴新材有限公司")
    stranger = acting(county, stranger)
    assert batches(county.session, stranger) == []
    for command in (a_letter(batch), UndoBatch(batch=batch, reason="撤")):
        with pytest.raises(NotFound):
            perform(county.session, command, stranger, at=TEN)
    with pytest.raises(NotFound):
        batch_page(county.session, stranger, batch, at=TEN)
