"""Who is there, who stands in, and that nobody is given more than fits."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from agents.contact_card import contact_card
from agents.leave import acting_agent, is_away
from agents.network import Level, division_with
from agents.network_import import import_network
from agents.roster import Agent, AgentSkill, Category, Duty, DutyKind, Team, skills_of
from agents.slots import release_slot, take_slot
from db import keyed_hash

TODAY = date(2026, 3, 12)
DAY = timedelta(days=1)
numbers = itertools.count(1)

NETWORK = """\
code,name,level,parent_code,kind,lon,lat,precision
320000000000,江苏省,1,,province,118.76,32.06,exact
320400000000,常州市,2,320000000000,city,119.97,31.81,exact
320411000000,新北区,3,320400000000,county,119.97,31.83,exact
320412000000,武进区,3,320400000000,county,119.94,31.70,exact
320412100000,湖塘镇,4,320412000000,town,119.95,31.72,exact
"""


@pytest.fixture
def session(session: Session, tmp_path: Path) -> Session:
    path = tmp_path / "network.csv"
    path.write_text(NETWORK, encoding="utf-8")
    import_network(session, path)
    session.commit()
    return session


def an_agent(
    session: Session,
    name: str = "王芳",
    *,
    skills: tuple[str, ...] = (),
    stand_in: Agent | None = None,
    capacity: int = 3,
    held: int = 0,
    active: bool = True,
) -> Agent:
    number = next(numbers)
    agent = Agent(
        agent_no=f"A{number:05}",
        name=name,
        phone=f"+8613900{number:06}",
        office_phone="0519-86310000",
        division_id=division_with(session, "320412").id,
        capacity=capacity,
        held=held,
        active=active,
        stand_in_id=stand_in.id if stand_in else None,
    )
    session.add(agent)
    session.flush()
    session.add_all(AgentSkill(agent_id=agent.id, category=skill) for skill in skills)
    session.flush()
    return agent


def away(session: Session, agent: Agent, first: date = TODAY, last: date = TODAY) -> None:
    session.add(Duty(agent_id=agent.id, kind=DutyKind.LEAVE, starts_on=first, ends_on=last))
    session.flush()


def test_both_ends_of_a_leave_are_away(session: Session) -> None:
    agent = an_agent(session)
    away(session, agent, TODAY, TODAY + 2 * DAY)
    days = [TODAY + n * DAY for n in range(-1, 4)]
    assert [is_away(session, agent.id, day) for day in days] == [False, True, True, True, False]


def test_the_stand_in_acts_while_the_agent_is_away(session: Session) -> None:
    b = an_agent(session, "李伟")
    a = an_agent(session, stand_in=b)
    away(session, a)
    assert acting_agent(session, a, TODAY) is b
    assert acting_agent(session, a, TODAY + DAY) is a


def test_when_the_stand_in_is_away_too_the_next_one_acts_and_a_ring_ends(session: Session) -> None:
    c = an_agent(session, "赵敏")
    b = an_agent(session, "李伟", stand_in=c)
    a = an_agent(session, stand_in=b)
    away(session, a)
    away(session, b)
    assert acting_agent(session, a, TODAY) is c
    c.stand_in_id = a.id
    session.flush()
    away(session, c)
    assert acting_agent(session, a, TODAY) is a


def test_an_agent_who_left_is_stood_in_for(session: Session) -> None:
    b = an_agent(session, "李伟")
    a = an_agent(session, stand_in=b, active=False)
    assert acting_agent(session, a, TODAY) is b


def test_nobody_stands_in_for_himself(session: Session) -> None:
    agent = an_agent(session)
    agent.stand_in_id = agent.id
    with pytest.raises(IntegrityError):
        session.flush()


def test_the_contact_card_names_office_and_backup_and_no_personal_phone(session: Session) -> None:
    b = an_agent(session, "李伟")
    a = an_agent(session, stand_in=b)
    card = contact_card(session, a, TODAY, hours="9:00-12:00, 13:30-17:00")
    assert (card.name, card.station, card.level, card.hotline) == ("王芳", "武进区", Level.COUNTY, "12345")
    assert (card.backup, card.backup_office_phone) == ("李伟", "0519-86310000")
    assert a.phone not in repr(card)


def test_a_phone_is_stored_encrypted_and_found_by_its_hash(session: Session) -> None:
    agent = an_agent(session)
    raw = session.execute(text("SELECT phone FROM agent WHERE id = :id"), {"id": agent.id}).scalar_one()
    assert agent.phone.encode() not in bytes(raw)
    assert session.scalar(select(Agent).where(Agent.phone_hash == keyed_hash(agent.phone))) is agent


def test_skills_are_read_for_many_agents_at_once(session: Session) -> None:
    land, none = an_agent(session, skills=(Category.LAND,)), an_agent(session)
    assert skills_of(session, [land.id, none.id]) == {land.id: {"land": 2}, none.id: {}}


def test_a_stale_write_to_an_agent_is_refused(session: Session, sessions: sessionmaker[Session]) -> None:
    agent = an_agent(session)
    session.commit()
    mine = session.get_one(Agent, agent.id)
    with sessions.begin() as other:
        other.get_one(Agent, agent.id).capacity = 5
    mine.capacity = 7
    with pytest.raises(StaleDataError):
        session.flush()


def test_a_team_has_one_name_at_a_place(session: Session) -> None:
    division = division_with(session, "320412")
    session.add_all([Team(name="一队", division_id=division.id), Team(name="一队", division_id=division.id)])
    with pytest.raises(IntegrityError):
        session.flush()


def test_an_object_in_hand_sees_the_slot_that_was_taken(session: Session) -> None:
    agent = an_agent(session, capacity=1)
    assert take_slot(session, agent.id)
    assert agent.held == 1
    assert not take_slot(session, agent.id)
    assert release_slot(session, agent.id)
    assert agent.held == 0
    assert not release_slot(session, agent.id)


def test_of_many_who_ask_at_once_no_more_than_fit_get_a_slot(session: Session, sessions: sessionmaker[Session]) -> None:
    agent = an_agent(session, capacity=7)
    session.commit()

    def ask(_: int) -> bool:
        with sessions.begin() as mine:
            return take_slot(mine, agent.id)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(40)))
    assert sum(answers) == 7
    session.refresh(agent)
    assert agent.held == 7


def test_takes_and_gives_at_once_never_pass_a_limit_and_add_up(
    session: Session, sessions: sessionmaker[Session]
) -> None:
    agent = an_agent(session, capacity=3)
    session.commit()

    def ask(number: int) -> int:
        with sessions.begin() as mine:
            if number % 3:
                return int(take_slot(mine, agent.id))
            return -int(release_slot(mine, agent.id))

    with ThreadPoolExecutor(12) as pool:
        balance = sum(pool.map(ask, range(60)))
    session.refresh(agent)
    assert agent.held == balance
    assert 0 <= agent.held <= 3


@pytest.fixture
def empty_roster(session: Session) -> Iterator[Session]:
    yield session
    session.rollback()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    capacity=st.integers(0, 4),
    start=st.integers(0, 4),
    acts=st.lists(st.sampled_from(["take", "give", "retire", "return"]), max_size=15),
)
def test_slots_follow_the_rules_whatever_is_asked(
    empty_roster: Session, capacity: int, start: int, acts: list[str]
) -> None:
    session = empty_roster
    session.execute(delete(Agent))
    agent = an_agent(session, capacity=capacity, held=min(start, capacity))
    held, active = agent.held, True
    for act in acts:
        if act in {"retire", "return"}:
            active = act == "return"
            session.execute(update(Agent).where(Agent.id == agent.id).values(active=active))
        elif act == "take":
            fits = active and held < capacity
            assert take_slot(session, agent.id) is fits
            held += fits
        else:
            assert release_slot(session, agent.id) is (held > 0)
            held -= held > 0
        assert session.scalar(select(Agent.held).where(Agent.id == agent.id)) == held
        assert 0 <= held <= capacity
