"""A material that does not apply is set aside with a reason: it is missing nowhere, and can be asked for again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.papers import GiveMaterial
from dispatch.acts.waiving import WaiveMaterial, WithdrawWaiver
from dispatch.cases.case import Case, CaseEvent, Material, MaterialState, Way
from dispatch.cases.derived import differences
from dispatch.cases.fact_event import FactKind
from dispatch.cases.lookups import reviews_of
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import DispatchError, Refused, WrongStage
from dispatch.path.edits import Relief
from dispatch.views.enterprise_case import case_page
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, acting, an_assigned_case

MATTERS = ("IND-107", "IND-108")


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


@pytest.fixture
def lead(county: County) -> Actor:
    return acting(county, county.lead)


def some_material(case: Case, *, of_all: bool, state: MaterialState = MaterialState.GIVEN) -> Material:
    return next(m for m in case.materials if m.is_owed_by_all is of_all and m.state is state)


def waive(county: County, material: Material, by: Actor) -> None:
    step = WaiveMaterial(case=material.case.case_no, material_id=material.id, reason="企业自有批复")  # type: ignore[arg-type]
    perform(county.session, step, by, at=TEN)


def ask_again(county: County, material: Material, by: Actor) -> None:
    step = WithdrawWaiver(case=material.case.case_no, material_id=material.id, reason="看错了")  # type: ignore[arg-type]
    perform(county.session, step, by, at=TEN + timedelta(hours=1))


def prescreen(county: County, case: Case, **verdicts: object) -> None:
    steps.prescreen(county.session, case, by=county.agent_viewer(), at=TEN, **verdicts)  # type: ignore[arg-type]


def all_follows(county: County) -> None:
    county.session.flush()
    assert [str(one) for one in differences(county.session, at=TEN)] == []


def test_a_material_that_does_not_apply_is_missing_nowhere(county: County, agent: Actor) -> None:
    session = county.session
    case, viewer = an_assigned_case(county, matters=MATTERS)
    material = some_material(case, of_all=False)
    version = case.version
    waive(county, material, agent)
    assert (material.state, case.version > version, material in case.originals) == (MaterialState.WAIVED, True, False)
    page = case_page(session, viewer, case.case_no, at=TEN)
    row = next(paper for paper in page.papers if paper.id == material.id)
    assert (row.waived_because, row.is_wanted, row.can_upload) == ("企业自有批复", False, False)
    line = session.scalars(select(CaseEvent).where(CaseEvent.kind == "material_waived")).one()
    assert material.name in line.words
    assert "企业自有批复" in line.words
    assert not line.internal
    prescreen(county, case)
    assert (case.stage, material.state) == (Stage.PRESCREENED, MaterialState.WAIVED)
    all_follows(county)


def test_asked_for_again_it_is_what_it_was(county: County, agent: Actor) -> None:
    case, _ = an_assigned_case(county, matters=MATTERS)
    material = some_material(case, of_all=False)
    before = (material.state, material.sha256, material.given_at)
    with pytest.raises(WrongStage, match="not waived"):
        ask_again(county, material, agent)
    waive(county, material, agent)
    with pytest.raises(WrongStage, match="is waived"):
        steps.give_material(
            county.session, case, material, sha256="1" * 64, media_type="", filename="b.pdf", by=agent, at=TEN
        )
    with pytest.raises(WrongStage, match="is waived"):
        waive(county, material, agent)
    ask_again(county, material, agent)
    assert (material.state, material.sha256, material.given_at) == before
    event = next(e for e in material.facts if e.kind is FactKind.MATERIAL_WAIVED)
    assert [e.correction_reason for e in material.facts if e.corrects == event.id] == ["看错了"]
    all_follows(county)


def test_what_every_project_owes_only_a_lead_sets_aside(county: County, agent: Actor, lead: Actor) -> None:
    case, _ = an_assigned_case(county, matters=("IND-105",))
    material = next(m for m in case.materials if m.is_owed_by_all and m.state is not MaterialState.AWAITED)
    with pytest.raises(Refused, match="every project owes") as refused:
        waive(county, material, agent)
    assert "窗口负责人" in str(refused.value.user_message)
    waive(county, material, lead)
    assert material.state is MaterialState.WAIVED


def test_what_another_matter_is_to_produce_only_a_lead_sets_aside(county: County, agent: Actor, lead: Actor) -> None:
    case, _ = an_assigned_case(county, matters=("IND-104", "IND-201"))
    material = next(m for m in case.materials if m.state is MaterialState.AWAITED)
    with pytest.raises(Refused, match="to be produced"):
        waive(county, material, agent)
    waive(county, material, lead)
    ask_again(county, material, lead)
    assert material.state is MaterialState.AWAITED


def test_the_last_defect_set_aside_brings_the_case_back_to_its_agent(county: County, agent: Actor) -> None:
    case, _ = an_assigned_case(county, matters=MATTERS)
    material = some_material(case, of_all=False)
    prescreen(county, case, defects={material.id: "公章不清"})
    assert case.stage is Stage.CORRECTION
    waive(county, material, agent)
    assert case.stage is Stage.ASSIGNED
    ask_again(county, material, agent)
    assert material.state is MaterialState.WANTED  # the round of corrections in which it was defective is over
    all_follows(county)


def test_after_the_prescreen_only_what_may_follow_later_is_set_aside(county: County, agent: Actor) -> None:
    case, _ = an_assigned_case(county, matters=MATTERS)
    soft, firm = (m for m in [m for m in case.materials if not m.is_owed_by_all][:2])
    soft.deferrable = True
    prescreen(county, case, deferred={soft.id: MONDAY + timedelta(days=9)})
    review = next(r for r in reviews_of(county.session, case) if r.matter_id == soft.matter_id)
    assert review.relief is Relief.DEFERRED
    with pytest.raises(DispatchError):
        waive(county, firm, agent)
    waive(county, soft, agent)
    assert (soft.is_owed, review.relief) == (False, None)
    ask_again(county, soft, agent)
    assert (soft.is_owed, review.relief) == (True, Relief.DEFERRED)
    all_follows(county)


def test_without_any_original_left_nobody_comes(county: County, lead: Actor) -> None:
    case, _ = an_assigned_case(county, matters=("IND-105",))
    for material in list(case.originals):
        waive(county, material, lead)
    assert (case.originals, case.pickup_way) == ([], Way.ELECTRONIC)
    original = next(m for m in case.materials if m.on_paper and m.state is MaterialState.WAIVED)
    ask_again(county, original, lead)
    assert (case.originals, case.pickup_way) == ([original], Way.COUNTER)


def test_a_waiver_is_not_put_right_as_a_paper_is(county: County, agent: Actor) -> None:
    case, viewer = an_assigned_case(county, matters=MATTERS)
    material = some_material(case, of_all=False)
    waive(county, material, agent)
    event = next(e for e in material.facts if e.kind is FactKind.MATERIAL_WAIVED)
    with pytest.raises(WrongStage, match="step of its case"):
        perform(county.session, CorrectFact(fact=event.id, reason="看错", never_was=True), agent, at=TEN)  # type: ignore[arg-type]
    give = GiveMaterial(case=case.case_no, material_id=material.id, sha256="1" * 64, filename="a.pdf")  # type: ignore[arg-type]
    with pytest.raises(Refused, match="not asked for"):
        perform(county.session, give, acting(county, viewer), at=TEN)
    other, _ = a_prescreened_case(county, matters=("IND-104",), phone="+8613812345699", name="武进轴承有限公司")
    with pytest.raises(WrongStage):
        waive(county, next(m for m in other.materials if m.state is MaterialState.ACCEPTED), agent)
