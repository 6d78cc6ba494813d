"""What the acts refuse, each with the words that a person reads, and with nothing changed."""

from datetime import date, timedelta

import pytest

from dispatch.acts.asking import SignDelegation
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.cases.case import Case, MaterialState
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.ids import ProjectNo
from dispatch.path.edit_log import KINDS
from dispatch.path.edits import Relief
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, a_request, an_appointment, an_assigned_case

TOMORROW = MONDAY + timedelta(days=1)


def prescreen(county: County, case: Case, **verdicts: object) -> None:
    steps.prescreen(county.session, case, by=county.agent_viewer(), at=TEN, **verdicts)  # type: ignore[arg-type]


# ---------------------------------------------------------------- prescreening


def test_a_verdict_on_another_cases_paper_is_not_found(county: County) -> None:
    case, _ = an_assigned_case(county)
    for verdicts in ({"defects": {987654321: "公章不清"}}, {"deferred": {987654321: TOMORROW}}):
        with pytest.raises(NotFound):
            prescreen(county, case, **verdicts)
    assert case.stage is Stage.ASSIGNED


def test_only_a_paper_of_the_list_follows_later_and_by_a_day_that_is_to_come(county: County) -> None:
    case, _ = an_assigned_case(county)
    firm, soft = case.materials[:2]
    firm.deferrable, soft.deferrable = False, True
    with pytest.raises(Refused, match="cannot be deferred") as refused:
        prescreen(county, case, deferred={firm.id: TOMORROW})
    assert firm.name in str(refused.value.user_message)
    with pytest.raises(Refused, match="due on"):
        prescreen(county, case, deferred={soft.id: MONDAY})
    assert {firm.owed_by, soft.owed_by} == {None}


def test_a_paper_that_may_follow_later_is_owed_and_its_matter_runs_on_that_relief(county: County) -> None:
    case, _ = an_assigned_case(county)
    soft = next(one for one in case.materials if one.matter_id is not None)
    soft.deferrable = True
    prescreen(county, case, deferred={soft.id: TOMORROW})
    assert (case.stage, soft.state, soft.owed_by) == (Stage.PRESCREENED, MaterialState.DEFERRED, TOMORROW)
    mine = [review for review in reviews_of(county.session, case) if review.matter_id == soft.matter_id]
    assert {review.relief for review in mine} == {Relief.DEFERRED}


def test_a_defect_needs_words(county: County) -> None:
    case, _ = an_assigned_case(county)
    with pytest.raises(Refused, match="needs words") as refused:
        prescreen(county, case, defects={case.materials[0].id: " "})
    assert case.materials[0].name in str(refused.value.user_message)


def test_what_nobody_gave_is_a_defect_by_itself_but_not_another_paper_of_its_name(county: County) -> None:
    case, _ = an_assigned_case(county)
    given = [one for one in case.materials if one.state is MaterialState.GIVEN]
    missing, twin = given[:2]
    missing.state, missing.name = MaterialState.WANTED, twin.name
    prescreen(county, case)
    assert (case.stage, missing.state, missing.defect) == (Stage.CORRECTION, MaterialState.DEFECTIVE, "尚未提供")
    assert twin.state is MaterialState.ACCEPTED


# ---------------------------------------------------------------- ends


def test_a_refusal_needs_its_reason_and_a_case_that_is_not_on_its_way(county: County) -> None:
    case, _ = an_assigned_case(county)
    with pytest.raises(Refused, match="reason"):
        steps.refuse(county.session, case, reason=" ", by=county.lead, at=TEN)
    prescreen(county, case)
    with pytest.raises(WrongStage, match="cannot be refused"):
        steps.refuse(county.session, case, reason="不属代办范围", by=county.lead, at=TEN)
    assert case.stage is Stage.PRESCREENED


def test_a_grade_is_of_the_cases_own_matters_and_each_has_one(county: County) -> None:
    case, viewer = a_request(county)
    case.stage = Stage.DELIVERED
    with pytest.raises(NotFound):
        steps.evaluate(county.session, case, grades={987654321: (5, "")}, by=viewer, at=TEN)
    with pytest.raises(Refused, match="no grade"):
        steps.evaluate(county.session, case, grades={}, by=viewer, at=TEN)
    assert case.stage is Stage.DELIVERED


def test_results_are_fetched_by_somebody_with_a_name(county: County) -> None:
    case, _ = a_request(county)
    case.stage = Stage.DECIDED
    with pytest.raises(Refused, match="who fetched"):
        steps.deliver(county.session, case, who=" ", by=county.lead, at=TEN)


# ---------------------------------------------------------------- asking


def test_a_case_needs_a_matter(county: County) -> None:
    case, viewer = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    with pytest.raises(Refused, match="at least one matter"):
        steps.open_case(county.session, project, matters=(), by=viewer, at=TEN)


def test_a_letter_names_people_who_have_names(county: County) -> None:
    case, viewer = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    nameless = AuthorisedPerson(" ", "+8613812345678")
    for people, words in (((), "names who may"), ((nameless,), "has no name")):
        letter = SignDelegation(
            project=ProjectNo(project.project_no), legal_representative="张法人", powers=(), people=people,
            valid_to=date(2027, 6, 30),
        )  # fmt: skip
        with pytest.raises(Refused, match=words):
            steps.take(county.session, letter, viewer, TEN)


def test_nobody_calls_in_a_window_that_has_passed_or_without_a_letter(county: County) -> None:
    case, viewer = a_prescreened_case(county)
    with pytest.raises(Refused, match="passed"):
        steps.book_pickup(county.session, case, appointment=an_appointment(MONDAY, 8, 9), by=viewer, at=TEN)
    project = county.session.get_one(Project, case.project_id)
    letter = project.delegations[0]
    letter.valid_from, letter.valid_to = MONDAY - timedelta(days=9), MONDAY - timedelta(days=1)
    with pytest.raises(Refused, match="no delegation in force"):
        steps.book_pickup(county.session, case, appointment=an_appointment(), by=viewer, at=TEN)
    assert case.stage is Stage.PRESCREENED


# ---------------------------------------------------------------- the path


def test_an_edit_of_a_path_says_why_in_no_more_words_than_fit_and_drops_nothing_that_is_filed(county: County) -> None:
    case, _ = a_request(county)
    project = county.session.get_one(Project, case.project_id)

    def edit(kind: str, reason: str, **fields: object) -> None:
        made = KINDS[kind]({"on": "", "days": 0, "code": "IND-104", "reason": reason, **fields})
        steps.edit_path(county.session, project, made, kind=kind, by=county.lead, at=TEN)

    for reason, words in ((" ", "needs its reason"), ("长" * 10_000, "too long")):
        with pytest.raises(Refused, match=words):
            edit("add_wait", reason, on="IND-105")
    with pytest.raises(Refused, match="in a case"):
        edit("drop_matter", "该项目不涉及")
