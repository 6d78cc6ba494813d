"""Fact folds: the order of writing down changes nothing, and a second correction brings the first state back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.cases.case import MaterialState
from dispatch.cases.evaluation import TicketState
from dispatch.cases.fact_event import Fact, FactEvent, FactKind, fact_row, facts_in_order
from dispatch.cases.fact_fold import check_material, check_ticket, fold_material, fold_ticket
from dispatch.cases.recorded_event import Recording
from dispatch.core.errors import Refused, WrongStage

START = datetime(2026, 11, 23, 1, tzinfo=UTC)
DAY = date(2026, 11, 23)
MATERIAL = [kind for kind in FactKind if kind.value.startswith("material")]
TICKET = [FactKind.TICKET_RECEIVED, FactKind.TICKET_ANSWERED, FactKind.TICKET_CALLED_BACK]


def at(hour: int) -> dict[str, object]:
    """A moment ``hour`` hours after the start."""
    moment = START + timedelta(hours=hour)
    return {"happened_on": moment.date(), "happened_at": moment}


def fact(kind: FactKind, hour: int, **more: object) -> Fact:
    return Fact(kind=kind, words="说明", until=DAY + timedelta(days=9), document=f"{hour:064x}", **at(hour), **more)  # type: ignore[arg-type]


def written(told: list[tuple[Fact, int | None]]) -> list[FactEvent]:
    """Rows in the order of their writing down; each names the number of the row that it corrects."""
    rows = []
    for n, (one, corrects) in enumerate(told, start=1):
        row = fact_row(one, Recording(at=START, by="x", corrects=corrects, correction_reason="看错"))
        row.id = n
        rows.append(row)
    return rows


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """What happened to a material at different moments."""
    hours = draw(st.lists(st.integers(0, 200), unique=True, min_size=1, max_size=8))
    return [fact(draw(st.sampled_from(MATERIAL)), hour) for hour in hours]


@given(lives(), st.randoms())
@settings(max_examples=200)
def test_the_order_of_writing_down_changes_nothing(life, random) -> None:
    there = fold_material(facts_in_order(written([(one, None) for one in life])))
    random.shuffle(life)
    assert fold_material(facts_in_order(written([(one, None) for one in life]))) == there


@given(lives(), st.data())
@settings(max_examples=200)
def test_a_correction_of_a_correction_brings_the_first_state_back(life, data) -> None:
    rows: list[tuple[Fact, int | None]] = [(one, None) for one in life]
    before = fold_material(facts_in_order(written(rows)))
    n = data.draw(st.integers(1, len(life)))
    wrong = replace(life[n - 1], kind=data.draw(st.sampled_from(MATERIAL)), **at(data.draw(st.integers(0, 200))))  # type: ignore[arg-type]
    rows += [(wrong, n), (life[n - 1], len(rows) + 1)]
    assert fold_material(facts_in_order(written(rows))) == before


def test_two_of_one_moment_stand_in_the_order_of_writing_and_a_correction_keeps_its_place() -> None:
    given_, refused = fact(FactKind.MATERIAL_GIVEN, 1), fact(FactKind.MATERIAL_REFUSED, 1)
    rows = written([(given_, None), (refused, None), (replace(given_, document_no="7"), 1)])
    assert [one.kind for one in facts_in_order(rows)] == [FactKind.MATERIAL_GIVEN, FactKind.MATERIAL_REFUSED]


def test_what_only_the_day_is_known_of_is_taken_for_its_end() -> None:
    only_day = replace(fact(FactKind.MATERIAL_GIVEN, 0), happened_at=None)
    rows = written([(only_day, None), (fact(FactKind.MATERIAL_REFUSED, 5), None)])
    assert fold_material(facts_in_order(rows)).state is MaterialState.GIVEN


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ("looked_up", "held"), ("held", "held"), ("given", "given"), ("given passed", "accepted"),
        ("given refused", "defective"), ("given refused mended", "wanted"), ("deferred given", "deferred"),
        ("refused given", "given"), ("given passed mended", "accepted"),
    ],
)  # fmt: skip
def test_each_kind_of_event_moves_a_material(kinds: str, state: str) -> None:
    told = [fact(FactKind(f"material_{kind}"), n) for n, kind in enumerate(kinds.split())]
    assert fold_material(told).state == state


def test_a_deferred_material_is_supplied_when_it_is_given_and_a_pass_ends_the_defect() -> None:
    owed = [fact(FactKind.MATERIAL_DEFERRED, 0), fact(FactKind.MATERIAL_GIVEN, 3)]
    now = fold_material(owed)
    assert (now.supplied_at, now.given_at, now.owed_by) == (owed[1].happened_at, owed[1].happened_at, owed[0].until)
    passed = fold_material([fact(FactKind.MATERIAL_REFUSED, 0), fact(FactKind.MATERIAL_PASSED, 1)])
    assert (passed.state, passed.defect) == (MaterialState.ACCEPTED, None)


def checked(*told: Fact, on_paper: bool = False) -> None:
    check_material(list(told), told[-1], on_paper=on_paper, asked_on=DAY)


def test_what_cannot_have_happened_to_a_material_is_refused() -> None:
    passed = fact(FactKind.MATERIAL_PASSED, 2)
    with pytest.raises(WrongStage):
        checked(passed)
    checked(passed, on_paper=True)
    checked(fact(FactKind.MATERIAL_GIVEN, 1), passed)
    with pytest.raises(Refused, match="before"):
        checked(fact(FactKind.MATERIAL_GIVEN, -48))
    with pytest.raises(Refused, match="needs words"):
        checked(replace(fact(FactKind.MATERIAL_REFUSED, 1), words=" "))
    with pytest.raises(Refused, match="owed by"):
        checked(replace(fact(FactKind.MATERIAL_DEFERRED, 1), until=DAY))


def test_a_ticket_is_received_then_answered_once_then_called_back() -> None:
    received, answered, called = (fact(kind, n) for n, kind in enumerate(TICKET))
    check_ticket([received, answered, called], called)
    now = fold_ticket([received, answered, called])
    assert now.state is TicketState.CALLED_BACK
    assert (now.opened_at, now.answered_at, now.called_back_at) == tuple(
        one.happened_at for one in (received, answered, called)
    )
    assert fold_ticket([received, answered]).state is TicketState.ANSWERED
    assert fold_ticket([received]).state is TicketState.OPEN
    with pytest.raises(WrongStage):
        check_ticket([received, answered, answered], answered)
    with pytest.raises(WrongStage):
        check_ticket([received, called], called)
    with pytest.raises(Refused, match="was ticket_answered, ticket_received"):
        check_ticket([answered, received], answered)
    with pytest.raises(Refused, match="needs words"):
        check_ticket([received, answered], replace(answered, words=" "))
