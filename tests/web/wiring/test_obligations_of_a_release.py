"""A database of the release before obligations: its rows are folded from what it knows when it is upgraded."""

from datetime import timedelta

from sqlalchemy import select

from dispatch.cases.derived import differences
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import COLUMNS, Obligation, ObligationKind
from tests.dispatch.builders import TEN, County
from tests.web.wiring.test_migrations import live_every_kind_of_event, tables
from web.wiring import database_schema


def rows(county: County) -> set[tuple[object, ...]]:
    return {tuple(row) for row in county.session.execute(select(*(getattr(Obligation, name) for name in COLUMNS)))}


def test_an_upgrade_fills_what_is_owed_from_the_facts(county: County, county_url: str) -> None:
    live_every_kind_of_event(county)
    settle(county.session)
    county.session.commit()
    before = rows(county)
    assert {row[0] for row in before} >= {
        ObligationKind.FIRST_ANSWER, ObligationKind.PRESCREEN, ObligationKind.FILING, ObligationKind.SILENCE,
        ObligationKind.DECISION, ObligationKind.PAUSE_END, ObligationKind.DELIVERY, ObligationKind.CALENDAR,
        ObligationKind.SHIFTS,
    }  # fmt: skip
    county.session.close()
    database_schema.downgrade(county_url, "0018")
    assert "obligation" not in tables(county_url)
    database_schema.upgrade(county_url)
    assert rows(county) == before
    assert [str(found) for found in differences(county.session, at=TEN + timedelta(days=200))] == []
