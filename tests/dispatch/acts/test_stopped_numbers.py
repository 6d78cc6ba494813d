"""Stopped numbers: a lead silences, resumes and reads about numbers of the own subtree alone."""

import pytest
from sqlalchemy.orm import Session

from dispatch.acts.act import perform
from dispatch.acts.notices import NumberElsewhere, ResumeNotices, StopNotices
from dispatch.core.actor import Actor, Role
from dispatch.views.sms_outbox import delivery_report, left_alone
from notifications import facts
from notifications.suppression import SuppressionReason, mark_number, stop_of
from tests.dispatch.builders import MONDAY, TEN, County, a_request
from tests.web.world import another_county
from web.wiring.accounts import Account

OURS, ELSEWHERE = "+8613812345678", "+8613812345679"


def lead_of(county: County) -> Actor:
    division = county.division
    account_id = an_account(county.session, Role.LEAD)
    return Actor(Role.LEAD, account_id=account_id, division_id=division.id, division_path=division.path)


def an_account(session: Session, role: Role) -> int:
    account = Account(role=role, name="张三")
    session.add(account)
    session.flush()
    return account.id


@pytest.fixture
def operator(county: County) -> Actor:
    return Actor(Role.OPERATOR, account_id=an_account(county.session, Role.OPERATOR))


@pytest.fixture
def two(county: County) -> tuple[County, County]:
    """Our county and another, each with a case that its number is told of."""
    other = another_county(county.session, county)
    a_request(county, phone=OURS)
    a_request(other, phone=ELSEWHERE)
    return county, other


def stop(session: Session, actor: Actor, phone: str) -> None:
    perform(session, StopNotices(phone=phone, reason="本人来电要求"), actor)


def test_a_lead_stops_a_number_of_the_own_subtree_and_no_other(two: tuple[County, County], operator: Actor) -> None:
    session, (ours, _) = two[0].session, two
    stop(session, lead_of(ours), OURS)
    for phone in (ELSEWHERE, "+8613800000001"):
        with pytest.raises(NumberElsewhere):
            stop(session, lead_of(ours), phone)
        assert stop_of(session, phone) is None
    stop(session, operator, "+8613800000001")


def test_a_lead_lifts_and_reads_nothing_that_others_stopped(two: tuple[County, County], operator: Actor) -> None:
    session, (ours, other) = two[0].session, two
    stop(session, operator, OURS)
    stop(session, lead_of(other), ELSEWHERE)
    for phone in (OURS, ELSEWHERE):
        with pytest.raises(NumberElsewhere):
            perform(session, ResumeNotices(phone=phone, reason="本人来电要求"), lead_of(ours))
        with pytest.raises(NumberElsewhere):
            stop(session, lead_of(ours), phone)
    assert [(row.masked[-4:], row.note) for row in left_alone(session, lead_of(ours))] == [("5678", "")]
    assert [(row.masked[-4:], row.note) for row in left_alone(session, lead_of(other))] == [("5679", "本人来电要求")]
    assert {row.note for row in left_alone(session, operator)} == {"本人来电要求"}
    perform(session, ResumeNotices(phone=ELSEWHERE, reason="本人来电要求"), lead_of(other))
    assert stop_of(session, ELSEWHERE) is None


def test_what_a_provider_marked_is_lifted_where_the_number_belongs(two: tuple[County, County]) -> None:
    session, (ours, other) = two[0].session, two
    stopped = stop_of(session, OURS)
    assert stopped is None
    stop(session, lead_of(ours), OURS)
    row = stop_of(session, OURS)
    assert row is not None
    mark_number(session, row.to_hash, OURS, SuppressionReason.UNREACHABLE, "30006")
    session.expire_all()
    with pytest.raises(NumberElsewhere):
        perform(session, ResumeNotices(phone=OURS, reason="号码已更正"), lead_of(other))
    perform(session, ResumeNotices(phone=OURS, reason="号码已更正"), lead_of(ours))
    assert stop_of(session, OURS) is None


def test_the_delivery_report_counts_the_own_subtree(two: tuple[County, County], operator: Actor) -> None:
    session, (ours, other) = two[0].session, two
    facts.fold(session)

    def posted(viewer: Actor) -> int:
        return sum(row.posted for row in delivery_report(session, viewer, first=MONDAY, last=MONDAY))

    everywhere = posted(operator)
    assert posted(lead_of(ours)) == posted(lead_of(other)) == everywhere / 2 > 0
    assert TEN.date() == MONDAY
