"""What is owed is counted whole, shown in pages, and nothing that is due hides behind another due."""

from datetime import timedelta

from sqlalchemy import event, select

from dispatch.cases.case import Case
from dispatch.cases.evaluation import Evaluation, Grade, TicketKind
from dispatch.cases.lookups import reviews_of
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind, OwnerKind
from dispatch.cases.stages import Stage
from dispatch.core.legal_clock import Lamp
from dispatch.views.inbox_page import inbox
from dispatch.views.morning_page import FIRST_LINES, morning
from dispatch.views.obligation_lines import DueWhen, ObligationAsker, ObligationFilter
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_prescreened_case, a_request, an_assigned_case

DAY = timedelta(days=1)


def accepted_case(county: County) -> Case:
    """Two matters with limits of their own, both accepted."""
    case, _ = a_prescreened_case(county, matters=("IND-108", "IND-104"))
    case.stage = Stage.COLLECTED
    steps.submit(county.session, case, receipts={}, by=county.lead, at=TEN)
    for review in reviews_of(county.session, case):
        steps.accept(county.session, review, notice_no=f"受{review.id}", by=county.lead, at=TEN)
    return case


def many_overdue(county: County, number: int) -> None:
    for n in range(number):
        a_request(county, phone=f"+86138{n:08d}", name=f"第{n}有限公司")


def test_a_hundred_and_sixty_overdue_cases_are_a_hundred_and_sixty(county: County) -> None:
    many_overdue(county, 160)
    at = TEN + 14 * DAY
    page = morning(county.session, county.lead, at=at)
    assert page.counts.due(DueWhen.OVERDUE) == 160 + len(county.couriers)  # whose shifts are over, too
    assert page.counts.of(ObligationKind.FIRST_ANSWER) == 160
    assert len(page.overdue) == FIRST_LINES
    asker, shown, after = ObligationAsker.of(county.session, county.lead, at=at), [], None
    overdue = ObligationFilter(kind=ObligationKind.FIRST_ANSWER, due=DueWhen.OVERDUE)
    while lines := asker.lines(overdue, limit=50, after=after):
        shown += [line.id for line in lines]
        after = lines[-1].due_at, lines[-1].id
    assert len(shown) == len(set(shown)) == 160
    found = [inbox(county.session, county.lead, at=at, page=number) for number in (1, 2, 3, 4, 5)]
    assert {one.total for one in found} == {160}
    assert [len(one.lines) for one in found] == [50, 50, 50, 10, 0]
    assert len({line.case_no for one in found for line in one.lines}) == 160


def test_the_morning_page_and_the_inbox_ask_as_much_for_many_as_for_few(county: County) -> None:
    counted: list[str] = []
    settle(county.session)
    connection = county.session.connection()
    event.listen(connection, "before_cursor_execute", lambda *given: counted.append(given[2]))

    def asked_of(page: object) -> int:
        counted.clear()
        page(county.session, county.lead, at=TEN + 14 * DAY)  # type: ignore[operator]
        return len(counted)

    asked_of(morning)  # the calendar is read once for all pages
    few = asked_of(morning), asked_of(inbox)
    many_overdue(county, 30)
    settle(county.session)
    assert (asked_of(morning), asked_of(inbox)) == few
    assert max(few) <= 12


def test_an_overdue_matter_turns_its_case_red_whatever_else_has_time(county: County) -> None:
    case = accepted_case(county)
    first, second = sorted(reviews_of(county.session, case), key=lambda review: review.committed_due_at)
    assert first.committed_due_at < second.committed_due_at
    at = first.committed_due_at + timedelta(minutes=1)
    assert second.committed_due_at > at
    (line,) = inbox(county.session, county.lead, at=at).lines
    assert (line.lamp, line.due) == (Lamp.RED, first.committed_due_at)
    overdue = morning(county.session, county.lead, at=at).overdue
    assert [(one.kind, one.about, one.owner_kind) for one in overdue if one.case_no] == [
        (ObligationKind.DECISION, first.matter.short_name, OwnerKind.AUTHORITY)
    ]


def test_a_prescreen_that_is_due_stands_on_its_agents_morning_page(county: County) -> None:
    case, _ = an_assigned_case(county)
    agent = county.agent_viewer(next(n for n, a in enumerate(county.agents) if a.id == case.project.lead.agent_id))
    asker = ObligationAsker.of(county.session, agent, at=case.prescreen_by)
    (line,) = asker.lines(ObligationFilter(is_mine=True), limit=9)
    assert (line.kind, line.due_at, line.lamp) == (ObligationKind.PRESCREEN, case.prescreen_by, Lamp.AMBER)
    assert [one.kind for one in morning(county.session, agent, at=case.prescreen_by).due_today] == [line.kind]


def test_a_bad_grade_is_first_verified_then_rectified_and_hidden_from_the_rated(county: County) -> None:
    case, enterprise = a_prescreened_case(county)
    case.stage = Stage.DECIDED
    steps.deliver(county.session, case, who="王经理", by=county.lead, at=TEN)
    first, *others = (review.id for review in reviews_of(county.session, case))
    grades = {first: (Grade.VERY_DISSATISFIED, "太慢")} | dict.fromkeys(others, (Grade.SATISFIED, ""))
    steps.evaluate(county.session, case, grades=grades, by=enterprise, at=TEN)
    given = county.session.scalars(select(Evaluation).where(Evaluation.review_id == first)).one()
    bad = given.rectification
    rated = county.agent_viewer(next(n for n, a in enumerate(county.agents) if a.id == given.agent_id))

    def owed(viewer: object) -> list[tuple[ObligationKind, object]]:
        asker = ObligationAsker.of(county.session, viewer, at=TEN)  # type: ignore[arg-type]
        return [(line.kind, line.due_at) for line in asker.lines(ObligationFilter(), limit=99) if line.case_no]

    assert owed(county.lead) == [(ObligationKind.VERIFY_GRADE, bad.verify_by)]
    assert owed(rated) == owed(enterprise) == []
    bad.move_to(type(bad.state).VERIFIED, at=TEN, words="属实")
    assert owed(county.lead) == [(ObligationKind.RECTIFY_GRADE, bad.rectify_by)]


def test_an_ended_case_owes_nothing_more(county: County) -> None:
    case = accepted_case(county)
    assert ObligationAsker.of(county.session, county.lead, at=TEN).counts().of(ObligationKind.DECISION) == 2
    steps.withdraw(county.session, case, reason="不办了", by=county.lead, at=TEN + DAY)
    settle(county.session)
    rows = county.session.scalars(select(Obligation).where(Obligation.case_id == case.id)).all()
    assert rows and [row.kind for row in rows if row.closed_at is None] == []


def test_a_ticket_is_owed_by_its_owner_and_unseen_by_colleagues(county: County) -> None:
    case, _ = an_assigned_case(county)
    ticket = steps.open_ticket(
        county.session, kind=TicketKind.QUESTION, words="到哪一步了", by=county.lead, at=TEN, case=case,
    )  # fmt: skip
    asked = ObligationFilter(kind=ObligationKind.TICKET)
    seen = {
        agent.id: ObligationAsker.of(county.session, county.agent_viewer(n), at=TEN).counts(asked).open
        for n, agent in enumerate(county.agents)
    }
    assert seen == {agent.id: int(agent.id == ticket.owner_agent_id) for agent in county.agents}
    steps.answer(county.session, ticket, reply="已受理", by=county.lead, at=TEN)
    assert ObligationAsker.of(county.session, county.lead, at=TEN).counts(asked).open == 0
