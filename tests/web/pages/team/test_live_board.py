"""The live board: a move is seen before it is made, its maker named to who comes second, and taken back."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from dispatch.core.actor import Role
from notifications.message import Message
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan
from tests.web.pages.team.test_team_runs import Team, planned, team
from web.wiring.accounts import Account

__all__ = ["team"]


@pytest.fixture
def plan_id(team: Team) -> int:
    """A committed afternoon of six stops."""
    made = planned(team)
    team.lead.post(f"/team/plans/{made}/commit")
    return made


def a_pickup(team: Team) -> tuple[int, int, int]:
    """A pickup of the afternoon, who fetches it, and who does not."""
    with team.sessions() as session:
        query = select(CourierStop.id, CourierRun.courier_id).join(CourierRun, CourierRun.id == CourierStop.run_id)
        stop_id, holder = session.execute(
            query.where(CourierStop.kind == StopKind.PICKUP).order_by(CourierStop.position.desc(), CourierStop.id)
        ).first() or (0, 0)
        other = session.scalars(select(Courier.id).where(Courier.id != holder).order_by(Courier.id)).first()
        return stop_id, holder, other or 0


def holder_of(team: Team, stop_id: int) -> tuple[int | None, int | None]:
    with team.sessions() as session:
        stop = session.get_one(CourierStop, stop_id)
        run = session.get_one(CourierRun, stop.run_id)
        return run.courier_id, stop.locked_to_id


def version_of(team: Team, plan_id: int) -> int:
    with team.sessions() as session:
        return session.get_one(DayPlan, plan_id).version


def test_a_move_is_looked_at_made_and_taken_back(team: Team, plan_id: int) -> None:
    stop_id, mine, other = a_pickup(team)
    where = f"/team/plans/{plan_id}/board"
    assert '<svg class="gantt"' in team.lead.get(where).text
    page = team.lead.get(f"{where}?stop={stop_id}&courier={other}&place=1").text
    assert "就这样调整" in page and re.search(r"[多少] [\d.]+ 公里|路程不变", page)
    assert holder_of(team, stop_id) == (mine, None), "looking changes nothing"
    with team.sessions() as session:
        before = len(session.scalars(select(Message.id)).all())
    promised = int((re.search(r"(\d+) 处要重新告知", page) or [0, "0"])[1])
    form = {"stop": stop_id, "courier": other, "place": 1, "version": version_of(team, plan_id)}
    team.lead.post(f"/team/plans/{plan_id}/moves", data=form)
    assert holder_of(team, stop_id) == (other, other), "moved, and kept there"
    with team.sessions() as session:
        texts = session.scalars(select(Message).order_by(Message.id)).all()[before:]
        assert len(texts) == promised
        run = session.scalars(select(CourierRun).where(CourierRun.courier_id == other)).one()
        assert run.changed_words and "手工调整" in run.changed_words
    assert "撤销：" in team.lead.get(where).text
    team.lead.post(f"/team/plans/{plan_id}/moves/undo", data={"version": version_of(team, plan_id)})
    assert holder_of(team, stop_id) == (mine, None)
    assert "撤销：" not in team.lead.get(where).text
    with team.sessions() as session:
        assert {stop.state for stop in session.scalars(select(CourierStop))} == {StopState.PLANNED}


def test_who_was_quicker_is_named_and_nothing_changes(team: Team, plan_id: int) -> None:
    stop_id, _, other = a_pickup(team)
    seen = version_of(team, plan_id)
    with team.sessions() as session:
        area = session.get_one(DayPlan, plan_id).division_id
    quicker = team.sign_in_as(Role.LEAD, login="wang", division_id=area)
    with team.sessions.begin() as session:
        session.scalars(select(Account).where(Account.login == "wang")).one().name = "王组长"
    form = {"stop": stop_id, "courier": other, "place": 1, "version": seen}
    quicker.post(f"/team/plans/{plan_id}/moves", data=form)
    after = holder_of(team, stop_id)
    said = team.lead.post(f"/team/plans/{plan_id}/moves", data={**form, "place": 2}, follow_redirects=True).text
    assert "王组长" in unescape(said) and "请刷新后再试" in said
    assert holder_of(team, stop_id) == after


def test_a_stop_is_locked_and_let_go_by_buttons_in_both_languages(team: Team, plan_id: int) -> None:
    stop_id, mine, _ = a_pickup(team)
    where = f"/team/plans/{plan_id}/stops/{stop_id}/lock"
    team.lead.post(where, data={})
    assert holder_of(team, stop_id) == (mine, mine)
    assert "已锁定" in team.lead.get(f"/team/plans/{plan_id}/board").text
    team.lead.post("/language/en", data={"next": "/"})
    page = team.lead.get(f"/team/plans/{plan_id}/board").text
    assert "Unlock" in page and "Live board" in page
    team.lead.post(where, data={"lets_go": "y"})
    assert holder_of(team, stop_id) == (mine, None)


def test_a_supervisor_looks_and_moves_nothing(team: Team, plan_id: int) -> None:
    stop_id, mine, other = a_pickup(team)
    with team.sessions() as session:
        area = session.get_one(DayPlan, plan_id).division_id
    looks = team.sign_in_as(Role.SUPERVISOR, division_id=area)
    page = looks.get(f"/team/plans/{plan_id}/board?stop={stop_id}&courier={other}&place=1").text
    assert "公里" in page and "就这样调整" not in page
    assert looks.post(f"/team/plans/{plan_id}/moves", data={"stop": stop_id, "courier": other}).status_code in (
        403,
        404,
    )
    assert holder_of(team, stop_id) == (mine, None)
