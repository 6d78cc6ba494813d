"""Whatever anybody did, everything that is owed stands in every list, and no list counts otherwise than another."""

import os
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from dispatch.cases.derived import differences
from dispatch.cases.obligations.obligation import Obligation
from dispatch.core.actor import SYSTEM, Actor
from dispatch.views.inbox_page import inbox
from dispatch.views.morning_page import morning
from dispatch.views.obligation_lines import DueWhen, ObligationAsker, ObligationFilter, ObligationLine
from tests.dispatch.builders import County
from tests.dispatch.cases.obligations_by_hand import Key, OwedByHand, owed_by_hand
from tests.dispatch.cases.random_acts import RandomActs

ACTS = int(os.environ.get("DAIBAN_ACTS", "130"))  # `make acts` takes 10,000
EACH = 50


def kept(county: County) -> dict[Key, OwedByHand]:
    """What the one table says."""
    return {
        (row.kind.value, row.subject.value, row.subject_id): OwedByHand(
            row.closed_at is None, (row.owner_kind.value, row.owner_id), row.due_at
        )
        for row in county.session.scalars(select(Obligation))
    }


def by_hand(county: County) -> dict[Key, OwedByHand]:
    url = county.session.get_bind().url.set(drivername="postgresql")  # type: ignore[union-attr]
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        return owed_by_hand(connection)


def all_lines(asker: ObligationAsker, asked: ObligationFilter) -> list[ObligationLine]:
    """Page by page, as a person leafs."""
    found: list[ObligationLine] = []
    while page := asker.lines(asked, limit=40, after=(found[-1].due_at, found[-1].id) if found else None):
        found += page
    return found


def key_of(line: ObligationLine) -> Key:
    return line.kind.value, line.subject.value, line.subject_id


def lists_of(county: County, viewer: Actor, at: datetime) -> set[Key]:
    """What this person's lists show; each of them counts as the others do."""
    asker = ObligationAsker.of(county.session, viewer, at=at)
    shown, counts = all_lines(asker, ObligationFilter()), asker.counts()
    page = morning(county.session, viewer, at=at)
    assert len(shown) == len({line.id for line in shown}) == counts.open == page.counts.open
    for when in DueWhen:
        listed = all_lines(asker, ObligationFilter(due=when))
        assert len(listed) == counts.due(when) == page.counts.due(when), when
    for kind in counts.kinds:
        assert len(all_lines(asker, ObligationFilter(kind=kind.kind))) == kind.open, kind
    first: dict[str, Any] = {}
    for line in shown:
        if line.case_no:
            first.setdefault(line.case_no, line.due_at)
    number, total = 0, None
    while total is None or number * 50 < total:
        number += 1
        boxed = inbox(county.session, viewer, at=at, page=number)
        total = boxed.total
        for row in boxed.lines:
            assert row.due == first.get(row.case_no), row.case_no
    return {key_of(line) for line in shown}


@pytest.mark.timeout(7_200)
def test_after_random_acts_nothing_that_is_owed_is_missing_from_a_list(county: County, tmp_path: Path) -> None:
    acts = RandomActs(county, random.Random(20261123), tmp_path)
    for _ in range(6):
        acts.request()
    for done in range(1, ACTS + 1):
        acts.step()
        if done % EACH and done != ACTS:
            continue
        county.session.commit()
        hand, table = by_hand(county), kept(county)
        plain = {key: OwedByHand(owed.is_open, owed.owner, owed.due_at) for key, owed in hand.items()}
        wrong = {
            key: (table.get(key), plain.get(key))
            for key in table.keys() | plain.keys()
            if table.get(key) != plain.get(key)
        }
        assert wrong == {}, (done, acts.taken)
        now = {
            key for key, owed in hand.items() if owed.is_open and (owed.begins_at is None or owed.begins_at <= acts.at)
        }
        assert lists_of(county, SYSTEM, acts.at) == now
        beyond_the_county = {key for key in now if key[0] == "calendar"}
        assert lists_of(county, county.lead, acts.at) == now - beyond_the_county
        for number, agent in enumerate(county.agents):
            viewer = county.agent_viewer(number)
            mine = {key for key in now if hand[key].owner == ("person", agent.id)}
            lines = all_lines(ObligationAsker.of(county.session, viewer, at=acts.at), ObligationFilter(is_mine=True))
            assert {key_of(line) for line in lines} == mine
            lists_of(county, viewer, acts.at)
    assert [str(found) for found in differences(county.session, at=acts.at)] == []
    assert len(acts.taken) > 20, acts.taken
