"""A case with a matter too few or too many, a project of the wrong family: put right before anything is filed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.correcting_matters import CorrectFamily, CorrectMatters
from dispatch.acts.papers import GiveMaterial
from dispatch.cases.case import Case, MaterialState
from dispatch.cases.derived import differences
from dispatch.cases.fact_event import FactKind
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Project
from dispatch.cases.project_correction import ProjectCorrection, ProjectPart
from dispatch.cases.project_path import matters_on_project
from dispatch.cases.stages import Stage
from dispatch.catalogue.matter import Family, Matter, Requirement
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.custody.parcel import ParcelState
from dispatch.path.edit_log import standing
from dispatch.path.facts import facts_of
from dispatch.path.predicate import predicate
from notifications.message import Message
from routing.day.courier_stop import CourierStop, StopState
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, acting, an_appointment, an_assigned_case, on_a_run


@pytest.fixture
def lead(county) -> Actor:
    return acting(county, county.lead)


def codes(session, case: Case) -> list[str]:
    return [review.matter.code for review in reviews_of(session, case)]


def asked_for(session, *matters: str) -> set[str]:
    """The materials of these matters for an ordinary project, asked of the catalogue."""
    query = select(Requirement).join(Matter, Matter.id == Requirement.matter_id).where(Matter.code.in_(matters))
    usual = facts_of({}).values
    return {row.name for row in session.scalars(query) if predicate(row.needed_when).holds(usual)}


def wanted(case: Case) -> set[str]:
    return {m.name for m in case.materials if m.state is not MaterialState.NOT_NEEDED}


def all_follows(session) -> None:
    session.flush()
    assert [str(one) for one in differences(session, at=TEN)] == []


def test_a_matter_too_many_goes_with_what_only_it_asks_for(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county, matters=("IND-104", "IND-105"))
    version = case.version
    step = CorrectMatters(case=case.case_no, version=version, drop=("IND-105",), reason="不涉及")
    perform(session, step, lead)
    assert codes(session, case) == ["IND-104"]
    assert wanted(case) == asked_for(session, "IND-104")
    assert case.version > version
    row = session.scalars(select(ProjectCorrection)).one()
    assert row.part is ProjectPart.MATTERS
    assert row.was.startswith(row.now)
    assert session.scalars(select(Message.text_name).where(Message.text_name == "project_corrected")).all() != []
    with pytest.raises(Refused, match="not in case"):
        perform(session, CorrectMatters(case=case.case_no, drop=("IND-105",), reason="再去一次"), lead)
    all_follows(session)


def test_a_matter_too_few_comes_with_its_limits_and_materials(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county, matters=("IND-104",))
    perform(session, CorrectMatters(case=case.case_no, add=("IND-105",), reason="漏报"), lead)
    assert codes(session, case) == ["IND-104", "IND-105"]
    assert wanted(case) == asked_for(session, "IND-104", "IND-105")
    project = session.get_one(Project, case.project_id)
    limits = matters_on_project(session, project, ["IND-105"], at=TEN)["IND-105"]
    added = reviews_of(session, case)[-1]
    assert (added.statutory_limit, added.committed_limit) == (limits.statutory, limits.committed)
    assert added.authority
    with pytest.raises(Refused, match="are in case"):
        perform(session, CorrectMatters(case=case.case_no, add=("IND-105",), reason="漏报"), lead)
    all_follows(session)


def test_a_matter_taken_out_and_put_back_asks_for_the_same_materials_once(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county, matters=("IND-104", "IND-105"))
    before = {(m.name, m.mode, m.state) for m in case.materials}
    number = len(case.materials)
    perform(session, CorrectMatters(case=case.case_no, drop=("IND-105",), reason="不涉及"), lead)
    gone = next(m for m in case.materials if m.state is MaterialState.NOT_NEEDED)
    with pytest.raises(WrongStage, match="not needed"):
        perform(session, GiveMaterial(case=case.case_no, material_id=gone.id, sha256="1" * 64, filename="a.pdf"), lead)
    event = next(e for e in gone.facts if e.kind is FactKind.MATERIAL_NOT_NEEDED)
    with pytest.raises(WrongStage, match="step of its case"):
        perform(session, CorrectFact(fact=event.id, reason="看错", never_was=True), lead)
    perform(session, CorrectMatters(case=case.case_no, add=("IND-105",), reason="原来涉及"), lead)
    assert {(m.name, m.mode, m.state) for m in case.materials} == before
    assert len(case.materials) == number
    all_follows(session)


def test_the_last_matter_and_what_is_filed_stay(county, lead) -> None:
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-104", "IND-105"))
    with pytest.raises(Refused, match="no matter"), session.begin_nested():
        perform(session, CorrectMatters(case=case.case_no, drop=("IND-104", "IND-105"), reason="都不要"), lead)
    with pytest.raises(WrongStage, match="this step needs"):
        perform(session, CorrectMatters(case=case.case_no, add=("IND-201",), reason="漏报"), lead)
    steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="hand-in")
    steps.submit(session, case, receipts={}, by=county.agent_viewer(), at=TEN + timedelta(hours=1))
    with pytest.raises(WrongStage, match="is submitted"):
        perform(session, CorrectMatters(case=case.case_no, drop=("IND-105",), reason="多报"), lead)


def test_a_courier_asks_only_for_what_is_still_needed(county, lead) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county, matters=("IND-104", "IND-105"))
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    perform(session, CorrectMatters(case=case.case_no, drop=("IND-105",), reason="不涉及"), lead)
    needed = {m.name for m in case.originals}
    assert set(parcel.contents) <= needed
    assert (parcel.state, parcel.contents != []) == (ParcelState.BOOKED, True)
    all_follows(session)


def test_a_visit_for_what_is_not_needed_any_more_is_called_off(county, lead) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county, matters=("IND-104", "IND-105"))
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    stop = session.get_one(CourierStop, parcel.stop_id)
    on_a_run(county, stop)
    case.move_to(Stage.PICKUP_PLANNED, at=TEN)
    only = asked_for(session, "IND-104") - asked_for(session, "IND-105")
    parcel.contents = sorted(only & {m.name for m in case.materials})
    session.flush()
    perform(session, CorrectMatters(case=case.case_no, drop=("IND-104",), reason="不涉及"), lead)
    assert (parcel.state, stop.state, stop.run_id) == (ParcelState.CANCELLED, StopState.RELEASED, None)
    assert case.stage is Stage.PRESCREENED


def test_a_project_of_the_wrong_family_begins_anew_with_the_right_matters(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county, matters=("IND-104", "IND-105"))
    project = session.get_one(Project, case.project_id)
    step = CorrectFamily(
        project=project.project_no, family=Family.PROPERTY_REGISTRATION, matters=("REG-02",), reason="选错类别"
    )
    perform(session, step, lead)
    assert project.family is Family.PROPERTY_REGISTRATION
    assert codes(session, case) == ["REG-02"]
    assert wanted(case) == asked_for(session, "REG-02")
    assert standing(project.path_edits) == []
    assert case.stage is Stage.ASSIGNED
    with pytest.raises(Refused, match="no matters of"):
        perform(session, CorrectMatters(case=case.case_no, add=("IND-104",), reason="再加"), lead)
    all_follows(session)
