"""Assignment over the database: placed at once or in a batch, never over capacity, never over somebody's edit."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from tempfile import TemporaryFile

import pytest
from sqlalchemy import delete, event, func, select, text, update

import db
from agents.matching.batch import match
from agents.network import Division, Level, Precision
from agents.roster import Agent, AgentSkill, Duty, DutyKind
from dispatch.assignment import apply_batch, propose, rules, staffing, telling
from dispatch.assignment.assign_one import place, place_waiting
from dispatch.assignment.matching_input import build_input
from dispatch.assignment.propose import ShadowPrice
from dispatch.cases.case import Case
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import NoCapacity, WrongStage
from notifications.message import Message
from servers.lifetimes import until
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_request, an_agent, the_county


def waiting_projects(county, count, **more):
    """So many projects that wait for an agent."""
    cases = [a_request(county, **more)[0] for _ in range(count)]
    county.session.flush()
    return [county.session.get_one(Project, case.project_id) for case in cases]


def acting(session):
    """How many places each agent fills now."""
    rows = session.execute(
        select(ProjectMember.agent_id, func.count())
        .where(ProjectMember.until.is_(None))
        .group_by(ProjectMember.agent_id)
    )
    return dict(rows.all())


def assert_sound(session):
    """Nobody over capacity, every load counted, at most one lead a project."""
    counted = acting(session)
    for agent in session.scalars(select(Agent)):
        assert agent.held == counted.get(agent.id, 0)
        assert agent.held <= agent.capacity
    leads = (
        select(func.count())
        .where(ProjectMember.until.is_(None), ProjectMember.role == TeamRole.LEAD)
        .group_by(ProjectMember.project_id)
    )
    assert set(session.scalars(leads)) <= {1}


def test_a_batch_places_what_waits_and_tells_both_sides(county):
    projects = waiting_projects(county, 3)
    proposal = propose.propose(county.session, at=TEN)
    assert proposal.proven
    assert len(proposal.moves) == 3
    assert all(p.state is ProjectState.WAITING for p in projects)
    applied = apply_batch.apply(county.session, proposal, by=SYSTEM, at=TEN)
    assert (len(applied.done), applied.stale, applied.full) == (3, (), ())
    assert telling.tell_placed(county.session, at=TEN) == 3
    assert telling.tell_placed(county.session, at=TEN) == 0
    county.session.expire_all()
    assert {p.state for p in projects} == {ProjectState.ACTIVE}
    assert all(p.assignment_reason["chosen"]["name"] for p in projects)
    cases = county.session.scalars(select(Case)).all()
    assert {case.stage for case in cases} == {Stage.ASSIGNED}
    assert all(case.prescreen_by is not None for case in cases)
    told = county.session.scalars(
        select(Message.text_name).where(Message.text_name.in_(("assigned", "project_for_agent")))
    )
    assert sorted(told) == ["assigned"] * 3 + ["project_for_agent"] * 3
    assert_sound(county.session)
    assert propose.propose(county.session, at=TEN).moves == ()


def test_a_batch_leaves_alone_what_somebody_changed_meanwhile(county):
    mine, theirs = waiting_projects(county, 2)
    proposal = propose.propose(county.session, at=TEN)
    staffing.assign(
        county.session,
        theirs,
        agent_id=county.agents[2].id,
        by=county.lead,
        at=TEN,
        choice=rules.AssignmentChoice(reason={"why": "熟悉"}),
    )
    applied = apply_batch.apply(county.session, proposal, by=SYSTEM, at=TEN)
    assert [m.project_id for m in applied.done] == [mine.id]
    assert [m.project_id for m in applied.stale] == [theirs.id]
    assert theirs.lead.agent_id == county.agents[2].id
    assert_sound(county.session)


def test_a_batch_never_fills_an_agent_beyond_what_was_free_when_it_is_applied(county):
    waiting_projects(county, 6)
    for agent in county.agents:
        agent.capacity = 2
    county.session.flush()
    proposal = propose.propose(county.session, at=TEN)
    assert len(proposal.moves) == 6
    county.agents[0].capacity = 1
    county.agents[1].active = False
    county.session.flush()
    applied = apply_batch.apply(county.session, proposal, by=SYSTEM, at=TEN)
    assert (len(applied.done), len(applied.full)) == (3, 3)
    assert_sound(county.session)


def test_what_was_seen_has_the_same_fingerprint_until_something_it_rests_on_changes(county):
    one, _ = waiting_projects(county, 2)
    seen = propose.propose(county.session, at=TEN).fingerprint
    assert propose.propose(county.session, at=TEN).fingerprint == seen
    one.version += 1
    county.session.flush()
    assert propose.propose(county.session, at=TEN).fingerprint != seen


def test_a_batch_that_fails_half_way_has_changed_nothing(county_sessions):
    with county_sessions.begin() as session:
        waiting_projects(the_county(session), 3)
    with county_sessions() as session:
        proposal = propose.propose(session, at=TEN)

    def fail_half_way():
        with county_sessions.begin() as session:
            assert len(apply_batch.apply(session, proposal, by=SYSTEM, at=TEN).done) == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with county_sessions() as session:
        assert session.scalar(select(func.count()).select_from(ProjectMember)) == 0
        assert_sound(session)
        assert propose.propose(session, at=TEN).fingerprint == proposal.fingerprint


def test_edits_while_a_batch_is_applied_neither_corrupt_it_nor_are_lost(county_sessions):
    with county_sessions.begin() as session:
        county = the_county(session)
        for agent in county.agents:
            agent.capacity = 3
        ids = [p.id for p in waiting_projects(county, 9)]
        wanted = county.agents[2].id
    with county_sessions() as session:
        proposals = [propose.propose(session, at=TEN) for _ in range(2)]

    def act(number):
        with county_sessions.begin() as session:
            if number < 2:
                return apply_batch.apply(session, proposals[number], by=SYSTEM, at=TEN)
            project = session.get_one(Project, ids[number], with_for_update=True)
            if number % 2:
                for case in session.scalars(select(Case).where(Case.project_id == project.id).with_for_update()):
                    steps.refuse(session, case, reason="企业撤回", by=SYSTEM, at=TEN)
                return None
            try:
                with session.begin_nested():
                    return staffing.assign(session, project, agent_id=wanted, by=SYSTEM, at=TEN)
            except (NoCapacity, WrongStage):
                return None

    with ThreadPoolExecutor(4) as pool:
        first, second, *_ = list(pool.map(act, range(8)))
    for applied, proposal in ((first, proposals[0]), (second, proposals[1])):
        told_of = {m.project_id for m in (*applied.done, *applied.stale, *applied.full)}
        assert told_of == {m.project_id for m in proposal.moves}
    assert not {m.project_id for m in first.done} & {m.project_id for m in second.done}
    with county_sessions() as session:
        assert_sound(session)


def test_two_full_agents_may_change_places(county):
    one, two = waiting_projects(county, 2)
    first, second = county.agents[:2]
    for agent in (first, second):
        agent.capacity = 1
    staffing.assign(county.session, one, agent_id=first.id, by=county.lead, at=TEN)
    staffing.assign(county.session, two, agent_id=second.id, by=county.lead, at=TEN)
    county.session.flush()
    moves = tuple(
        propose.Move(p.id, p.project_no, TeamRole.LEAD, "", before.id, after.id, {})
        for p, before, after in ((one, first, second), (two, second, first))
    )
    proposal = propose.Proposal(moves, (), {one.id: one.version, two.id: two.version}, 0, True, {})
    applied = apply_batch.apply(county.session, proposal, by=county.lead, at=TEN + timedelta(hours=1))
    assert len(applied.done) == 2
    assert (one.lead.agent_id, two.lead.agent_id) == (second.id, first.id)
    assert_sound(county.session)
    telling.tell_placed(county.session, at=TEN + timedelta(hours=1))
    changed = county.session.scalars(select(Message).where(Message.text_name == "agent_changed")).all()
    assert len(changed) == 2


def test_reading_takes_as_many_queries_for_many_projects_as_for_one(county):
    waiting_projects(county, 1)

    def queries():
        seen = []
        county.session.flush()
        county.session.expunge_all()
        bind = county.session.get_bind()
        event.listen(bind, "before_cursor_execute", note := (lambda *args: seen.append(args[2])))
        try:
            build_input(county.session, at=TEN)
        finally:
            event.remove(bind, "before_cursor_execute", note)
        return len(seen)

    few = queries()
    waiting_projects(the_county(county.session), 6)
    assert queries() == few


def test_a_placed_project_has_its_stage_its_timeline_and_its_reason_and_both_sides_are_told_once(county):
    (project,) = waiting_projects(county, 1)
    placed = place(county.session, project, by=SYSTEM, at=TEN)
    assert (project.state, project.lead.agent_id, project.lead.told_at) == (ProjectState.ACTIVE, placed.agent_id, None)
    assert project.assignment_reason["chosen"]["name"] == county.session.get_one(Agent, placed.agent_id).name
    assert len(project.assignment_reason["runners_up"]) == 2
    case = county.session.scalars(select(Case)).one()
    assert (case.stage, case.version) == (Stage.ASSIGNED, 2)
    assert case.prescreen_by is not None
    assert case.events[-1].words.startswith("已指派代办员")
    assert telling.tell_placed(county.session, at=TEN, project_id=project.id) == 1
    assert telling.tell_placed(county.session, at=TEN, project_id=project.id) == 0
    texts = county.session.scalars(select(Message.text_name)).all()
    assert {"assigned", "project_for_agent"} <= set(texts)
    assert place(county.session, project, by=SYSTEM, at=TEN).agent_id == placed.agent_id
    assert_sound(county.session)


def exchanges(session, act):
    """How often the session's connection spoke to the server and waited for its answer."""
    wire = session.connection().connection.driver_connection.pgconn
    with TemporaryFile("w+") as heard:
        wire.trace(heard.fileno())
        act()
        wire.untrace()
        heard.seek(0)
        return len(re.findall(r"\tF\t\d+\tSync", heard.read()))


def test_one_placement_takes_two_exchanges_with_the_database_however_many_wait(county):
    def taken(project):
        assert place(county.session, project, by=SYSTEM, at=TEN) is not None

    first, *_ = waiting_projects(county, 1)
    assert exchanges(county.session, partial(taken, first)) == 2
    *_, last = waiting_projects(county, 6)
    last_id = last.id
    county.session.flush()
    place_it = partial(place_waiting, county.session, last_id, by=SYSTEM)
    assert exchanges(county.session, place_it) == 2
    assert last.state is ProjectState.ACTIVE


def test_a_waiting_project_is_placed_by_its_number_at_the_business_moment(county):
    db.set_clock(county.session, TEN + timedelta(days=1))
    (project,) = waiting_projects(county, 1)
    placed = place_waiting(county.session, project.id, by=SYSTEM)
    assert project.lead.agent_id == placed.agent_id
    assert abs(project.lead.since - TEN - timedelta(days=1)) < timedelta(minutes=10)
    assert place_waiting(county.session, project.id, by=SYSTEM) is None, "it waits no more"
    assert_sound(county.session)


def test_a_project_that_somebody_has_in_hand_is_left_to_them(county_sessions):
    with county_sessions.begin() as session:
        (project,) = waiting_projects(the_county(session), 1)
        project_id = project.id
    with county_sessions.begin() as other, county_sessions.begin() as session:
        other.get_one(Project, project_id, with_for_update=True)
        assert place_waiting(session, project_id, by=SYSTEM) is None
    with county_sessions.begin() as session:
        assert place_waiting(session, project_id, by=SYSTEM) is not None


def test_why_nobody_was_found_is_kept_with_the_project_that_waits_on(county):
    for agent in county.agents:
        agent.held = agent.capacity
    (project,) = waiting_projects(county, 1)
    assert place_waiting(county.session, project.id, by=SYSTEM) is None
    assert project.state is ProjectState.WAITING
    assert project.assignment_reason["chosen"] == {"agent_id": None}
    assert project.assignment_reason["terms"]["waiting"] > 0


def test_a_placement_at_once_agrees_with_the_batch(county):
    an_agent(county.session, "代办员九", division=county.town, n=9)
    county.session.add(AgentSkill(agent_id=county.agents[1].id, category="x", proficiency=3))
    (project,) = waiting_projects(county, 1)
    question = build_input(county.session, at=TEN)
    answer = match(question.needs, question.agents, question.network, propose.WEIGHTS)
    placed = place(county.session, project, by=SYSTEM, at=TEN)
    assert placed.agent_id == answer.agent_of(f"{project.id}:lead")
    assert placed.reason["terms"] == propose.terms_of(answer.choices[f"{project.id}:lead"].terms)


def test_a_placement_keeps_skill_leave_ban_language_and_first_ask(county):
    unskilled, absent, banned = county.agents
    fourth = an_agent(county.session, "代办员九", division=county.town, n=9)
    county.session.execute(delete(AgentSkill).where(AgentSkill.agent_id == unskilled.id))
    county.session.add(
        Duty(agent_id=absent.id, kind=DutyKind.LEAVE, starts_on=TEN.date(), ends_on=TEN.date() + timedelta(days=14))
    )
    one, foreign, owned = waiting_projects(county, 3)
    one.banned_agents = [banned.id]
    foreign.language = "ja"
    county.session.add(Referral(project_id=owned.id, from_agent_id=banned.id))
    county.session.flush()
    assert place(county.session, one, by=SYSTEM, at=TEN).agent_id == fourth.id
    assert place(county.session, foreign, by=SYSTEM, at=TEN) is None
    assert place(county.session, owned, by=SYSTEM, at=TEN).agent_id == banned.id


def test_short_leaves_that_prolong_one_another_are_a_long_one_for_a_placement_and_for_the_batch(county):
    away, late, there = county.agents
    monday = TEN.date()
    for agent, starts, ends in (
        (away, -5, -3),  # Wednesday to Friday, and after the weekend from today
        (away, 0, 2),
        (late, -6, -4),  # a day of work, then from today
        (late, 0, 2),
    ):
        dates = {"starts_on": monday + timedelta(days=starts), "ends_on": monday + timedelta(days=ends)}
        county.session.add(Duty(agent_id=agent.id, kind=DutyKind.SICK, **dates))
    there.capacity = 0
    first, second = waiting_projects(county, 2)
    question = build_input(county.session, at=TEN)
    assert {agent.id: agent.away for agent in question.agents} == {away.id: True, late.id: False, there.id: False}
    assert place(county.session, first, by=SYSTEM, at=TEN).agent_id == late.id
    late.capacity = 1
    county.session.flush()
    assert place(county.session, second, by=SYSTEM, at=TEN) is None


def test_a_counters_liaison_whose_leave_is_prolonged_is_passed_over(county):
    city = county.session.scalars(select(Division).where(Division.code == "320400000000")).one()
    away, there = (an_agent(county.session, f"市代办员{n}", division=city, n=n) for n in (7, 8))
    there.stars = 0  # the other one would be taken
    (project,) = waiting_projects(county, 1)
    case = county.session.scalars(select(Case).where(Case.project_id == project.id)).one()
    review = county.session.scalars(select(Review).where(Review.case_id == case.id).limit(1)).one()
    review.counter_division_id = city.id
    for starts, ends in ((0, 1), (2, 4)):
        dates = {"starts_on": TEN.date() + timedelta(days=starts), "ends_on": TEN.date() + timedelta(days=ends)}
        county.session.add(Duty(agent_id=away.id, kind=DutyKind.SICK, **dates))
    county.session.flush()
    assert place(county.session, project, by=SYSTEM, at=TEN) is not None
    liaison = county.session.scalars(select(ProjectMember).where(ProjectMember.role == TeamRole.LIAISON)).one()
    assert liaison.agent_id == there.id


def the_next_county(session):
    """天宁区 beside 武进区, of the same city, with an agent of its own."""
    city = session.scalars(select(Division).where(Division.code == "320400000000")).one()
    beside = Division(
        code="320402000000", name="天宁区", pinyin="tianningqu", level=Level.COUNTY, kind="county",
        parent_code=city.code, path=f"{city.path}.320402000000", lon=119.97, lat=31.78, precision=Precision.EXACT,
    )  # fmt: skip
    session.add(beside)
    session.flush()
    return city, an_agent(session, "天宁代办员", division=beside, n=5)


def test_a_countys_batch_reads_who_is_in_reach_and_answers_as_if_it_had_read_everybody(county):
    session = county.session
    city, elsewhere = the_next_county(session)
    upper = an_agent(session, "市代办员", division=city, n=7)
    county.agents[0].capacity = county.agents[1].capacity = 1
    county.agents[2].capacity = 0
    first, *others = waiting_projects(county, 5)
    others[0].escalated = True
    gone = place(session, others[1], by=SYSTEM, at=TEN).agent_id
    staffing.assign(session, first, agent_id=elsewhere.id, by=SYSTEM, at=TEN)
    session.flush()
    some, everybody = build_input(session, at=TEN, path=county.division.path), build_input(session, at=TEN)
    assert {a.id for a in everybody.agents} == {a.id for a in (*county.agents, upper, elsewhere)}
    assert {a.id for a in some.agents} == {a.id for a in everybody.agents}, "who acts is read, wherever that is"
    project = session.get_one(Project, first.id)
    project.lead.until = TEN
    elsewhere.held = 0
    session.flush()
    some, everybody = build_input(session, at=TEN, path=county.division.path), build_input(session, at=TEN)
    assert {a.id for a in some.agents} == {a.id for a in (*county.agents, upper)}
    assert gone in {need.current for need in some.needs}
    one, other = (match(q.needs, q.agents, q.network, propose.WEIGHTS) for q in (some, everybody))
    assert one.choices == other.choices
    assert (one.objective, one.certificate.proven) == (other.objective, True)
    assert [a.id for a in some.at_home()] == [a.id for a in county.agents]


def test_a_countys_batch_leaves_the_prices_of_other_counties_and_of_the_city(county):
    session = county.session
    city, elsewhere = the_next_county(session)
    upper = an_agent(session, "市代办员", division=city, n=7)
    for agent in county.agents:
        agent.capacity = 1
    for agent in (*county.agents, elsewhere, upper):
        session.add(ShadowPrice(agent_id=agent.id, value=7, computed_at=TEN))
    waiting_projects(county, 5)
    apply_batch.apply(session, propose.propose(session, at=TEN, path=county.division.path), by=SYSTEM, at=TEN)
    prices = dict(session.execute(select(ShadowPrice.agent_id, ShadowPrice.value)).all())
    assert prices.pop(elsewhere.id) == prices.pop(upper.id) == 7
    assert set(prices) == {a.id for a in county.agents}, "two wait: every slot here is worth something"
    assert 7 not in prices.values()


def test_an_escalated_project_may_go_to_the_city_and_a_counter_there_gets_its_liaison(county):
    city = county.session.scalars(select(Division).where(Division.code == "320400000000")).one()
    upper = an_agent(county.session, "市代办员", division=city, n=7)
    for agent in county.agents:
        agent.active = False
    plain, project = waiting_projects(county, 2)
    project.escalated = True
    case = county.session.scalars(select(Case).where(Case.project_id == project.id)).one()
    review = county.session.scalars(select(Review).where(Review.case_id == case.id).limit(1)).one()
    review.counter_division_id = city.id
    county.session.flush()
    assert place(county.session, plain, by=SYSTEM, at=TEN) is None
    assert place(county.session, project, by=SYSTEM, at=TEN).agent_id == upper.id
    assert [(m.agent_id, m.counter) for m in project.liaisons] == [(upper.id, city.code)]
    assert upper.held == 2
    assert_sound(county.session)


def test_concurrent_placements_never_exceed_a_capacity(county_sessions):
    with county_sessions.begin() as session:
        county = the_county(session)
        for agent in county.agents:
            agent.capacity = 2
        ids = [p.id for p in waiting_projects(county, 10)]

    def placed_now(project_id):
        with county_sessions.begin() as session:
            if project_id % 2:
                return place_waiting(session, project_id, by=SYSTEM) is not None
            project = session.get_one(Project, project_id, with_for_update=True)
            return place(session, project, by=SYSTEM, at=TEN) is not None

    with ThreadPoolExecutor(4) as pool:
        placed = list(pool.map(placed_now, ids))
    assert sum(placed) == 6
    with county_sessions() as session:
        assert_sound(session)


def test_who_comes_too_late_for_each_last_slot_waits_on_and_holds_nobody_up(county_sessions):
    with county_sessions.begin() as session:
        county = the_county(session)
        people = sorted(agent.id for agent in county.agents)
        session.execute(update(Agent).values(capacity=1))
        ids = [p.id for p in waiting_projects(county, 3)]

    def waits_for_somebody(session):
        return session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) == 1

    def placed_in_turn():
        with county_sessions.begin() as session:
            placed = [place_waiting(session, project_id, by=SYSTEM) for project_id in ids[:2]]
            session.execute(update(Agent).where(Agent.id == people[0]).values(held=0))
            return [*placed, place_waiting(session, ids[2], by=SYSTEM)]

    with county_sessions() as other, county_sessions() as watch, ThreadPoolExecutor(1) as pool:
        other.execute(update(Agent).values(held=1))
        later = pool.submit(placed_in_turn)
        assert until(lambda: waits_for_somebody(watch), 20)
        other.commit()
        first, second, third = later.result()
    assert (first, second, third.agent_id) == (None, None, people[0])


def test_any_order_of_placing_completing_and_leave_leaves_the_books_straight(county_sessions):
    with county_sessions.begin() as session:
        county = the_county(session)
        an_agent(session, "代办员九", division=county.town, capacity=2, n=9)
        for agent in county.agents:
            agent.capacity = 3
        ids = [p.id for p in waiting_projects(county, 16)]
        people = list(session.scalars(select(Agent.id).join(Division, Division.id == Agent.division_id)))

    def act(number):
        chance = random.Random(number)
        with county_sessions.begin() as session:
            if chance.random() < 0.2:
                session.add(
                    Duty(
                        agent_id=chance.choice(people), kind=DutyKind.LEAVE, starts_on=TEN.date(),
                        ends_on=TEN.date() + timedelta(days=14),
                    )
                )  # fmt: skip
                return
            project = session.get_one(Project, chance.choice(ids), with_for_update=True)
            if project.state is ProjectState.WAITING:
                place(session, project, by=SYSTEM, at=TEN)
            elif project.state is ProjectState.ACTIVE and chance.random() < 0.5:
                for case in session.scalars(select(Case).where(Case.project_id == project.id).with_for_update()):
                    steps.refuse(session, case, reason="企业撤回", by=SYSTEM, at=TEN)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(60)))
    with county_sessions() as session:
        assert_sound(session)


def test_the_answer_read_back_is_the_answer_that_was_proven(county):
    waiting_projects(county, 4)
    question = build_input(county.session, at=TEN)
    answer = match(question.needs, question.agents, question.network, propose.WEIGHTS)
    apply_batch.apply(county.session, propose.propose(county.session, at=TEN), by=SYSTEM, at=TEN)
    for need in question.needs:
        project = county.session.get_one(Project, need.project)
        assert project.lead.agent_id == answer.agent_of(need.id)
