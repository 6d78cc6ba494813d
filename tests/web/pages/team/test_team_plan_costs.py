"""What a plan's page says of its costs adds up to what the plan costs; papers and handovers stand at their route."""

import re
from collections.abc import Callable
from dataclasses import fields

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from dispatch.views.plan_costs import TERMS, cost_table
from routing.day import plan_jobs, planning, what_if
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.stops import Address, StopNeeds, request_stop
from routing.model.plan import Costs
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, an_appointment, the_county

FEW = 300


@pytest.fixture
def lead(app: Flask, sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]):  # type: ignore[no-untyped-def]
    """A lead of 武进区 at ten on a Monday, with two couriers and a stop that only a van can serve."""
    with sessions.begin() as session:
        county = the_county(session)
        for n in range(5):
            request_stop(
                session,
                division_id=county.division.id,
                on=MONDAY,
                kind=StopKind.PICKUP if n % 2 else StopKind.DELIVERY,
                address=Address(119.93 + 0.01 * n, 31.70, f"延政路{n}号", "王经理", "+8613812345678", f"常州{n}号公司"),
                windows=[(13 * 3600, 17 * 3600)],
                at=TEN,
                needs=StopNeeds(needs_van=n == 4),
            )
        area = county.division.id
    return sign_in_as(Role.LEAD, division_id=area)


def planned(app: Flask, sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        area = the_county(session).division.id
        plan_id = plan_jobs.queue_plan(
            session, division_id=area, on=MONDAY, cutoff=Cutoff.PM, limit_s=20, by="组长", at=db.now(session)
        ).id
    travel = app.extensions["daiban.travel"]
    assert planning.work_on(sessions, plan_id, travel=travel, max_iterations=FEW) is PlanState.PREVIEW
    return plan_id


def numbers(row: str) -> list[int]:
    return [int(value.replace(",", "")) for value in re.findall(r">([\d,]+)(?:</b>)?</td>", row)]


def test_the_numbers_on_the_page_add_up_to_what_the_plan_costs(app: Flask, sessions, lead) -> None:  # type: ignore[no-untyped-def]
    plan_id = planned(app, sessions)
    page = lead.get(f"/team/plans/{plan_id}").text
    assert "还能省多少没有证明：这次按迭代次数计算，没有同时求证" in page
    table = page[page.index('<table class="rows cost-table">') :]
    rows = [numbers(row) for row in table[: table.index("</table>")].split("<tr")[2:]]
    *lines, sums, (unserved,), (whole,) = rows
    with sessions() as session:
        plan = session.get_one(DayPlan, plan_id)
        assert plan.cost == whole
        assert len(lines) == len(plan.result["routes"])
    assert all(sum(line[:-1]) == line[-1] for line in lines)
    assert [sum(column) for column in zip(*lines, strict=True)] == sums
    assert unserved > 0, "the van's stop waits"
    assert sums[-1] + unserved == whole


def test_a_route_with_a_prefix_and_no_stop_ahead_costs_too() -> None:
    cost = Costs(travel=60, vehicles=1800, lateness=5, moved=120, unserved=0).as_dict()
    idle = Costs(vehicles=1800).as_dict()
    routes = [{"courier": "甲", "cost": cost, "visits": [1]}, {"courier": "乙", "cost": idle, "visits": []}]
    plan = DayPlan(cost=103_785.0, result={"routes": routes, "cost": {"unserved": 100_000}})
    table = cost_table(plan)
    assert table is not None and table.total == plan.cost
    assert [name for name, _ in table.columns] == ["travel", "lateness", "moved", "vehicles"]
    assert [line.courier for line in table.lines] == ["甲", "乙"]


def test_every_term_of_a_cost_has_words() -> None:
    assert {*TERMS, "unserved", "unserved_musts"} == {each.name for each in fields(Costs)}


def test_papers_and_handovers_stand_at_the_route(app: Flask, sessions, lead) -> None:  # type: ignore[no-untyped-def]
    with sessions.begin() as session:
        case, viewer = a_prescreened_case(the_county(session))
        steps.book_pickup(session, case, appointment=an_appointment(MONDAY, 14, 17), by=viewer, at=case.created_at)
        case_no = case.case_no
    plan_id = planned(app, sessions)
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, plan_id)
        stop_id = session.scalars(
            select(CourierStop.id).where(CourierStop.kind == StopKind.DELIVERY).order_by(CourierStop.id)
        ).first()
        handover = {
            "request": f"stop:{stop_id}", "side": 0, "stop_id": stop_id, "from_courier_id": 1, "from_courier": "张三",
            "arrival_s": 37_000, "start_s": 37_200, "departure_s": 37_320, "load": {"pieces": 3, "grams": 600},
        }  # fmt: skip
        first, *others = plan.result["routes"]
        plan.result = {**plan.result, "routes": [{**first, "handovers": [handover]}, *others]}
    page = lead.get(f"/team/plans/{plan_id}").text
    assert f'/team/cases/{case_no}">{case_no}</a>' in page
    assert sum(int(n) for n in re.findall(r"出发带 (\d+) 件", page)) == 2, "the two deliveries that a bike may carry"
    assert page.count("约 10:20 先向张三当面接过 1 件") == 1
    said = r"全程 (\d+) 分钟 = 路上 (\d+) \+ 上门办理 (\d+) \+ 等候休息 (\d+)"
    hours = [tuple(map(int, found)) for found in re.findall(said, page)]
    assert hours and all(whole == sum(parts) for whole, *parts in hours)


def test_one_courier_more_is_asked_on_the_page_and_solved_by_a_worker(app: Flask, sessions, lead) -> None:  # type: ignore[no-untyped-def]
    plan_id = planned(app, sessions)
    travel = app.extensions["daiban.travel"]
    assert "试加一名面包车揽投员" in lead.get(f"/team/plans/{plan_id}").text
    assert lead.post(f"/team/plans/{plan_id}/what-if", data={"vehicle": "van"}).status_code == 302
    waiting = lead.get(f"/team/plans/{plan_id}/what-if").text
    assert "正在试算" in waiting and "hx-trigger" in waiting and "<html" not in waiting
    with sessions() as session:
        before = session.get_one(DayPlan, plan_id)
        cost, version, routes = before.cost, before.version, before.result["routes"]
    assert what_if.answer_what_if(sessions, plan_id, travel=travel, max_iterations=FEW) == "answered"
    assert what_if.answer_what_if(sessions, plan_id, travel=travel, max_iterations=FEW) is None, "it is answered once"
    page = lead.get(f"/team/plans/{plan_id}").text
    assert "再加一名面包车揽投员，可多排进 1 站" in page and "常州4号公司" in page
    with sessions() as session:
        after = session.get_one(DayPlan, plan_id)
        assert (after.cost, after.version, after.result["routes"]) == (cost, version, routes), "the plan stays"
        assert len(session.scalars(select(Courier)).all()) == 2
    lead.post(f"/team/plans/{plan_id}/what-if", data={"vehicle": "ebike"})
    what_if.answer_what_if(sessions, plan_id, travel=travel, max_iterations=FEW)
    assert "排不进的 1 站仍排不进" in lead.get(f"/team/plans/{plan_id}").text
    assert lead.post(f"/team/plans/{plan_id}/commit").status_code == 302, "a question does not stand in the way"
