"""The agents' board shows everybody of the reach once, the freest first, page by page."""

from datetime import date, timedelta

from agents.roster import Agent, Duty, DutyKind
from dispatch.views.agents_board import AgentLine, board
from tests.dispatch.builders import County

ON = date(2026, 11, 23)


def crowd(county: County, n: int) -> None:
    """So many agents more, several of them equally free and of one name."""
    for i in range(n):
        county.session.add(
            Agent(
                agent_no=f"T{i:03d}", name="同名" if i % 3 else f"甲{i}", phone=f"139{i:08d}", office_phone="0519-1",
                division_id=county.town.id, capacity=4 + i % 2, held=i % 3, stars=3, languages=[], weekly_hours=35,
            )
        )  # fmt: skip
    county.session.flush()


def walked(county: County, limit: int) -> list[AgentLine]:
    lines: list[AgentLine] = []
    while found := board(county.session, county.lead, on=ON, limit=limit, after=lines[-1].place if lines else None):
        lines += found[:limit]
    return lines


def test_the_pages_together_show_everybody_once_and_the_freest_first(county: County) -> None:
    crowd(county, 23)
    lines = walked(county, 5)
    assert sorted(line.id for line in lines) == sorted(a.id for a in county.session.query(Agent).filter(Agent.active))
    assert [line.held / line.capacity for line in lines] == sorted(line.held / line.capacity for line in lines)
    assert lines == walked(county, 100)


def test_two_absences_on_one_day_show_an_agent_once(county: County) -> None:
    away = county.agents[0]
    for kind in (DutyKind.LEAVE, DutyKind.TRAINING):
        county.session.add(Duty(agent_id=away.id, kind=kind, starts_on=ON, ends_on=ON + timedelta(days=1), note=""))
    county.session.flush()
    assert [line.away for line in board(county.session, county.lead, on=ON) if line.id == away.id] == ["休假"]


def test_a_search_takes_its_words_literally(county: County) -> None:
    crowd(county, 6)
    assert {line.name for line in board(county.session, county.lead, on=ON, words="同名")} == {"同名"}
    assert board(county.session, county.lead, on=ON, words="%") == []
