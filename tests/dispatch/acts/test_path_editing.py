"""A lead's edits of a project's path: kept with reason and name, read into the path, refused where they make a ring."""

import pytest
from sqlalchemy import select

from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Project
from dispatch.cases.project_path import project_path
from dispatch.core.errors import NotFound, Refused
from dispatch.path.drawing_layout import lay_out
from dispatch.path.edit_log import KINDS, read_edits, standing, write_edits
from dispatch.path.edits import AddWait, DropMatter, DropWait, Grant, Relief, SetDays
from dispatch.path.errors import CycleFound
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting, WaitLink
from dispatch.path.schedule import schedule
from dispatch.path.svg import svg
from dispatch.views.path_page import path_page
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_request

FIRST, SECOND = "IND-104", "IND-105"


@pytest.fixture
def project(county):
    case, _ = a_request(county, matters=(FIRST, SECOND))
    county.session.flush()
    return county.session.get_one(Project, case.project_id)


def path_of(county, project):
    return project_path(county.session, project, at=TEN).path


def change(county, project, kind, **fields):
    made = KINDS[kind]({"reason": "联席会议纪要第3号", "on": "", "days": 0, **fields})
    return steps.edit_path(county.session, project, made, kind=kind, by=county.lead, at=TEN)


def two_apart(path):
    """Two matters of which neither waits for the other, even through others."""
    before = {}
    for step in path.steps:
        before[step.code] = {w.on for w in step.waits}.union(*(before[w.on] for w in step.waits))
    return next((a, b) for a in before for b in before if a != b and a not in before[b] and b not in before[a])


def test_an_added_wait_is_kept_with_its_reason_and_read_into_every_view_of_the_path(county, project):
    code, on = two_apart(path_of(county, project))
    made = change(county, project, "add_wait", code=code, on=on)
    assert (made.by, made.at, made.edit.reason) == (county.lead.label, TEN, "联席会议纪要第3号")
    county.session.expire_all()
    path = path_of(county, project)
    assert (on, "联席会议纪要第3号") in {(w.on, w.why) for w in path.step(code).waits}
    assert project.version == 2
    noted = county.session.scalars(select(CaseEvent).where(CaseEvent.kind == "path")).one()
    assert noted.internal
    assert noted.words.startswith("调整审批线路：")


def test_a_ring_is_refused_by_the_names_of_its_members_and_nothing_changes(county, project):
    code, on = two_apart(path_of(county, project))
    change(county, project, "add_wait", code=code, on=on)
    before, version = dict(project.path_edits), project.version
    with pytest.raises(Refused) as refused:
        change(county, project, "add_wait", code=on, on=code)
    names = {path_of(county, project).step(c).matter.short for c in (code, on)}
    assert all(name in refused.value.user_message for name in names)
    assert isinstance(refused.value.__cause__, CycleFound)
    assert (project.path_edits, project.version) == (before, version)


def test_a_limit_is_this_projects_own_and_never_longer_than_the_law(county, project):
    step = path_of(county, project).step(SECOND)
    statute = step.days(Basis.STATUTORY, "elapsed")
    change(county, project, "set_days", code=SECOND, days=1)
    edited = path_of(county, project)
    assert edited.step(SECOND).days(Basis.COMMITTED, "elapsed") == 1
    assert edited.step(SECOND).days(Basis.STATUTORY, "elapsed") == statute
    for days in (0, statute + 1):
        with pytest.raises(Refused, match=SECOND):
            change(county, project, "set_days", code=SECOND, days=days)
    with pytest.raises(Refused, match="already"):
        change(county, project, "set_days", code=SECOND, days=1)


def test_what_is_not_needed_goes_but_what_is_in_a_case_stays(county, project):
    path = path_of(county, project)
    spare = next(code for code in path.codes if code not in {FIRST, SECOND})
    followers = [s.code for s in path.steps if any(w.on == spare for w in s.waits)]
    inherited = {w.on for w in path.step(spare).waits}
    change(county, project, "drop_matter", code=spare)
    after = path_of(county, project)
    assert spare not in after.codes
    assert all(inherited <= {w.on for w in after.step(code).waits} for code in followers)
    with pytest.raises(Refused, match="in a case"):
        change(county, project, "drop_matter", code=FIRST)


def test_a_deferred_paper_eases_a_wait_and_a_dropped_wait_is_gone_but_drawn(county, project):
    path = path_of(county, project)
    waits = [(s.code, w.on) for s in path.steps for w in s.waits]
    (code, on), (other, before) = waits[0], waits[-1]
    change(county, project, "defer", code=code, on=on)
    change(county, project, "drop_wait", code=other, on=before)
    after = path_of(county, project)
    assert {w.link for w in after.step(code).waits if w.on == on} == {WaitLink.DECISION}
    assert before not in {w.on for w in after.step(other).waits}
    lines = lay_out(after, schedule(after, Basis.COMMITTED), title="线路").lines
    assert {line.change for line in lines} >= {"added", "removed"}
    picture = svg(lay_out(after, schedule(after, Basis.COMMITTED), title="线路"))
    assert "组长取消" in picture
    assert "组长增加" in picture
    assert "联席会议纪要第3号" in picture


def test_an_edit_is_undone_with_a_reason_and_stays_in_the_history(county, project):
    before = path_of(county, project)
    code, on = two_apart(before)
    made = change(county, project, "add_wait", code=code, on=on)
    with pytest.raises(Refused):
        steps.undo_edit(county.session, project, made.number, reason=" ", by=county.lead, at=TEN)
    steps.undo_edit(county.session, project, made.number, reason="纪要已作废", by=county.lead, at=TEN)
    assert path_of(county, project).steps == before.steps
    (kept,) = read_edits(project.path_edits)
    assert (kept.stands, kept.undone_by, kept.undone_reason) == (False, county.lead.label, "纪要已作废")
    with pytest.raises(NotFound):
        steps.undo_edit(county.session, project, made.number, reason="再来", by=county.lead, at=TEN)
    page = path_page(county.session, county.lead, project.project_no, at=TEN)
    assert [line.made.stands for line in page.edits] == [False]


def test_an_edit_that_another_rests_on_is_not_undone_before_it(county, project):
    path = path_of(county, project)
    code, on = next((s.code, s.waits[0].on) for s in path.steps if len(s.waits) == 1)
    first = change(county, project, "drop_wait", code=code, on=on)
    second = change(county, project, "add_wait", code=on, on=code)  # the other way round, now that it is free
    with pytest.raises(Refused) as refused:
        steps.undo_edit(county.session, project, first.number, reason="恢复", by=county.lead, at=TEN)
    assert "请先撤销" in refused.value.user_message
    steps.undo_edit(county.session, project, second.number, reason="恢复", by=county.lead, at=TEN)
    steps.undo_edit(county.session, project, first.number, reason="恢复", by=county.lead, at=TEN)
    assert path_of(county, project).steps == path.steps


def test_an_edit_that_the_facts_have_overtaken_is_left_out_and_said_so(county, project):
    path = path_of(county, project)
    spare = next(
        s.code for s in path.steps if s.code not in {FIRST, SECOND} and s.days(Basis.STATUTORY, Counting.TARGET)
    )
    change(county, project, "set_days", code=spare, days=1)
    project.path_edits = write_edits(read_edits(project.path_edits))
    gone = [DropMatter(spare, "事实变化"), *standing(project.path_edits)]
    after = project_path(county.session, project, at=TEN, edits=gone).path
    assert [edit for edit, _ in after.unmet] == standing(project.path_edits)


def test_an_edit_of_the_whole_path_holds_in_the_path_of_one_case(county, project):
    part = project_path(county.session, project, at=TEN, only=[FIRST, SECOND]).path
    wait = next(((s.code, w.on) for s in part.steps for w in s.waits), None)
    kind, (code, on) = ("drop_wait", wait) if wait else ("add_wait", (SECOND, FIRST))
    change(county, project, kind, code=code, on=on)
    edited = project_path(county.session, project, at=TEN, only=[FIRST, SECOND]).path
    assert set(edited.codes) == {FIRST, SECOND}
    assert (on in {w.on for w in edited.step(code).waits}) == (kind == "add_wait")


def test_an_edit_without_a_reason_is_refused_and_so_is_one_of_a_wait_that_is_not_there(county, project):
    code, on = two_apart(path_of(county, project))
    with pytest.raises(Refused):
        steps.edit_path(county.session, project, AddWait(code, on, "  "), kind="add_wait", by=county.lead, at=TEN)
    with pytest.raises(Refused):
        steps.edit_path(county.session, project, DropWait(code, on, "没有"), kind="drop_wait", by=county.lead, at=TEN)


def test_every_edit_survives_being_written_down(county, project):
    edits = [
        AddWait("A", "B", "一"),
        DropWait("A", "B", "二"),
        Grant("A", Relief.DEFERRED, "三", "B"),
        SetDays("A", 4, "四"),
        DropMatter("A", "五"),
    ]
    rows = {"edits": [
        {"number": n, "kind": kind, "code": "A", "on": "B", "days": 4, "reason": e.reason, "by": "组长",
         "at": TEN.isoformat()}
        for n, (kind, e) in enumerate(zip(KINDS, edits, strict=True))
    ]}  # fmt: skip
    assert standing(rows) == edits
    assert standing(write_edits(read_edits(rows))) == edits


def test_the_expected_date_is_looked_at_anew(county, project):
    case = county.session.scalars(select(Case)).one()
    case.forecast_at = TEN
    county.session.flush()
    change(county, project, "set_days", code=SECOND, days=1)
    county.session.expire_all()
    assert case.forecast_at is None
