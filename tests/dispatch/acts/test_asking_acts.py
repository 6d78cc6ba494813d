"""Asking by commands: what is refused whichever door it came through, and that nothing changes then."""

import dataclasses
import uuid
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.acts.act import perform
from dispatch.acts.asking import (
    AlreadyAsked,
    OpenCase,
    OutOfReach,
    PartyGiven,
    RequestProject,
    RevokeDelegation,
    SignDelegation,
    SiteGiven,
)
from dispatch.acts.booking import AlreadyBooked, BookPickup
from dispatch.acts.confirming_codes import ConfirmCreditCode
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.papers import GiveMaterial
from dispatch.cases.case import Case, MaterialState
from dispatch.cases.enterprises import NameDiffers
from dispatch.cases.project import Contact, Enterprise, Power, Project
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.credit_code import PersonalIdNumber, WrongCheckCharacter
from dispatch.core.errors import NotFound, Refused, Stale, WrongStage
from dispatch.core.ids import CaseNo, ContactId, EnterpriseId, FileId, MaterialId, ProjectNo
from routing.day.courier_stop import CourierStop
from tests.dispatch.builders import MONDAY, County, a_prescreened_case, a_request, an_assigned_case, an_enterprise
from web.wiring.accounts import Account

SITE = SiteGiven("320412100000", 119.96, 31.72, "人民东路1号")
ASKED = RequestProject(name="二期", family=Family.INDUSTRIAL_PERMIT, site=SITE, matters=("IND-104",))
PARTY = PartyGiven("常州精机有限公司", "91350100M000100Y43", "王经理", "+8613812345678")
LETTER = SignDelegation(
    project=ProjectNo(""), legal_representative="张法人", powers=(Power.SUBMIT,), valid_to=date(2027, 6, 30),
    people=(AuthorisedPerson("王经理", "13812345678"),),
)  # fmt: skip


@pytest.fixture(autouse=True)
def accounts(county: County) -> None:
    """The accounts of the builders' people, which the audit lines name."""
    for number, role in ((1, Role.LEAD), (5, Role.ENTERPRISE), (10, Role.AGENT)):
        county.session.add(Account(id=number, role=role, name="张三", login=f"account{number}"))
    county.session.flush()


def agent_of(county: County) -> Actor:
    return dataclasses.replace(county.agent_viewer(), division_id=county.division.id)


def projects(county: County) -> int:
    return county.session.scalar(select(func.count(Project.id))) or 0


def refused(county: County, command: Any, actor: Actor, kind: type[Exception]) -> Exception:
    """The step is refused, and leaves neither a project nor an enterprise behind."""
    before = projects(county), county.session.scalar(select(func.count(Enterprise.id)))
    with pytest.raises(kind) as caught, county.session.begin_nested():
        perform(county.session, command, actor)
    assert (projects(county), county.session.scalar(select(func.count(Enterprise.id)))) == before
    return caught.value


def test_the_address_gets_its_division_once(county: County) -> None:
    _, _, actor = an_enterprise(county.session)
    for name, typed in (("二期", "人民东路1号"), ("三期", "湖塘镇人民东路1号")):
        site = dataclasses.replace(SITE, address=typed)
        made = perform(county.session, dataclasses.replace(ASKED, name=name, site=site), actor)
        project = county.session.scalars(select(Project).where(Project.project_no == made.project_no)).one()
        assert project.site_address == "湖塘镇人民东路1号"


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"matters": ("BIZ-01",)}, Refused, "事项不存在或已停用"),
        ({"matters": ("IND-103",)}, Refused, "事项不存在或已停用"),
        ({"site": dataclasses.replace(SITE, lon=121.5, lat=34.0)}, Refused, "公里，请核对图钉"),
        ({"project_code": "123"}, Refused, "项目代码有误"),
        ({"is_state_secret": True}, Refused, "涉密项目不得"),
    ],
    ids=["of another family", "no authority decides", "a pin elsewhere", "a short code", "secret"],
)
def test_a_request_that_the_law_does_not_know_is_refused(
    county: County, change: dict[str, Any], kind: type[Exception], words: str
) -> None:
    _, _, actor = an_enterprise(county.session)
    error = refused(county, dataclasses.replace(ASKED, **change), actor, kind)
    assert words in str(error.user_message)  # type: ignore[attr-defined]


def test_the_same_project_is_not_opened_twice_but_one_elsewhere_is(county: County) -> None:
    _, _, actor = an_enterprise(county.session)
    perform(county.session, ASKED, actor)
    refused(county, dataclasses.replace(ASKED, name=" 二期 "), actor, AlreadyAsked)
    elsewhere = dataclasses.replace(ASKED, site=SiteGiven("320412101000"))
    assert perform(county.session, elsewhere, actor).project_no


def test_once_by_the_clients_own_id(county: County) -> None:
    _, _, actor = an_enterprise(county.session)
    client_id = uuid.uuid4()
    first, again = (perform(county.session, ASKED, actor, client_id=client_id) for _ in range(2))
    assert (first, projects(county)) == (again, 1)


def test_an_agent_files_within_the_own_county_alone(county: County) -> None:
    named = dataclasses.replace(ASKED, party=PARTY)
    assert perform(county.session, named, agent_of(county)).case_no
    away = dataclasses.replace(named, name="三期", site=SiteGiven("320400000000"))
    refused(county, away, agent_of(county), OutOfReach)
    refused(county, away, county.lead, OutOfReach)
    refused(county, named, dataclasses.replace(agent_of(county), division_id=None), OutOfReach)


def test_staff_name_an_enterprise_that_is_theirs_to_see_or_by_its_code(county: County) -> None:
    case, _ = a_request(county)
    known, (stranger, contact, _) = case.project.enterprise_id, an_enterprise(county.session, phone="+8613812340000")
    by_id = dataclasses.replace(ASKED, enterprise_id=EnterpriseId(known))
    assert perform(county.session, by_id, county.lead).case_no
    refused(county, dataclasses.replace(ASKED, enterprise_id=EnterpriseId(stranger.id)), county.lead, NotFound)
    refused(county, dataclasses.replace(by_id, contact_id=ContactId(contact.id)), county.lead, NotFound)
    refused(county, ASKED, county.lead, Refused)
    perform(county.session, dataclasses.replace(ASKED, party=PARTY), county.lead)
    other = dataclasses.replace(PARTY, name="另一家")
    refused(county, dataclasses.replace(ASKED, name="四期", party=other), county.lead, NameDiffers)
    assert county.session.scalar(select(func.count(Contact.id)).join(Enterprise).where(Enterprise.credit_code != ""))


def test_a_further_case_is_of_a_project_that_one_sees(county: County) -> None:
    case, actor = a_request(county)
    command = OpenCase(project=ProjectNo(case.project.project_no), matters=("IND-101",))
    stranger = an_enterprise(county.session, phone="+8613812340000")[2]
    refused(county, command, stranger, NotFound)
    refused(county, dataclasses.replace(command, version=999), actor, Stale)
    refused(county, dataclasses.replace(command, matters=("BIZ-01",)), actor, Refused)
    assert perform(county.session, command, actor).project_no == case.project.project_no


def test_a_letter_is_signed_once_and_again_after_it_was_revoked(county: County) -> None:
    case, actor = a_request(county)
    sign = dataclasses.replace(LETTER, project=ProjectNo(case.project.project_no))
    revoke = RevokeDelegation(project=sign.project, reason="不再委托")
    refused(county, revoke, actor, WrongStage)
    perform(county.session, sign, actor)
    assert case.project.delegations[0].recipients[0].phone == "+8613812345678"
    refused(county, sign, actor, WrongStage)
    refused(county, dataclasses.replace(revoke, version=999), actor, Stale)
    perform(county.session, revoke, actor)
    assert case.has_ended
    perform(county.session, sign, actor)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"valid_to": date(2020, 1, 1)}, "有效期不能早于今天"),
        ({"valid_to": date(2030, 1, 1)}, "有效期最长三年"),
        ({"people": (AuthorisedPerson("王经理", "123456"),)}, "手机号有误"),
        ({"people": (AuthorisedPerson("王经理", "13812345678", False, False),)}, "请勾选可交件或可收件"),
    ],
)
def test_a_letter_that_cannot_hold_is_refused(county: County, change: dict[str, Any], words: str) -> None:
    case, actor = a_request(county)
    sign = dataclasses.replace(LETTER, project=ProjectNo(case.project.project_no), **change)
    error = refused(county, sign, actor, Refused)
    assert words in str(error.user_message) % {"n": 1}  # type: ignore[attr-defined]


def a_paper(case: Case, state: MaterialState) -> GiveMaterial:
    material = next(m for m in case.materials if m.state is state)
    return GiveMaterial(case=CaseNo(case.case_no), material_id=MaterialId(material.id), sha256=FileId("0" * 64))


def test_an_enterprise_gives_only_what_is_asked_for(county: County) -> None:
    case, actor = an_assigned_case(county)
    perform(county.session, a_paper(case, MaterialState.GIVEN), actor)
    refused(county, a_paper(case, MaterialState.HELD), actor, Refused)


def test_an_enterprise_books_one_pickup_and_its_recipient_is_asked_for(county: County) -> None:
    case, actor = a_prescreened_case(county)
    recipient = case.project.delegations[0].recipients[0]
    recipient.name = "李会计"
    book = BookPickup(
        case=CaseNo(case.case_no), on=MONDAY, opens_s=14 * 3600, closes_s=16 * 3600, recipient_id=recipient.id
    )
    perform(county.session, book, actor)
    assert county.session.scalars(select(CourierStop.contact_name)).one() == "李会计"
    refused(county, book, actor, WrongStage)


def test_an_appointment_is_one_thing_that_moves(county: County) -> None:
    case, _ = a_prescreened_case(county)
    book = BookPickup(case=CaseNo(case.case_no), on=MONDAY, opens_s=14 * 3600, closes_s=16 * 3600)
    perform(county.session, book, county.lead)
    refused(county, book, county.lead, AlreadyBooked)
    assert county.session.scalar(select(func.count(CourierStop.id))) == 1


ODD_CODE = "91320412MA7YBKT850"


def test_a_code_that_an_operator_saw_on_the_licence_is_taken(county: County) -> None:
    operator = Actor(Role.OPERATOR, account_id=county.lead.account_id)
    named = dataclasses.replace(ASKED, party=dataclasses.replace(PARTY, credit_code=ODD_CODE))
    assert refused(county, named, county.lead, WrongCheckCharacter).facts["field"] == "party.credit_code"  # type: ignore[attr-defined]
    confirm = ConfirmCreditCode(credit_code=f" {ODD_CODE.lower()}", enterprise_name="样本", reason="已核对执照原件")
    refused(county, confirm, county.lead, NotFound)
    refused(county, dataclasses.replace(confirm, credit_code=PARTY.credit_code), operator, Refused)
    refused(county, dataclasses.replace(confirm, credit_code="320412199003071234"), operator, PersonalIdNumber)
    assert [perform(county.session, confirm, operator) for _ in range(2)] == [ODD_CODE, ODD_CODE]
    assert perform(county.session, named, county.lead).case_no


def test_these_are_acts_of_applicants(county: County) -> None:
    for actor in (Actor(Role.COURIER, courier_id=county.couriers[0].id), Actor(Role.SUPERVISOR)):
        refused(county, ASKED, actor, NotFound)
