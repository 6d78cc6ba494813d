"""Claims to an enterprise: a public code and a typed number open nothing of others; the owner and the window decide."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.acts.act import perform
from dispatch.acts.asking import PartyGiven, RequestProject, SiteGiven
from dispatch.cases.access_control import visible_projects
from dispatch.cases.case import Case
from dispatch.cases.enterprises import add_contact
from dispatch.cases.evaluation import TicketKind
from dispatch.cases.project import Contact, Enterprise, Project
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound
from dispatch.views.enterprise_profile import contacts
from dispatch.views.enterprise_tickets import tickets
from tests.dispatch import steps
from tests.dispatch.builders import TEN, WUJIN, County, the_county
from tests.web.conftest import signed_in_client
from tests.web.world import another_county
from web.wiring import claims
from web.wiring.accounts import Account, AccountEvent, AccountState
from web.wiring.auth import person_of
from web.wiring.registration import register

CODE, NAME = "91320400MA1MT10F2A", "常州精密有限公司"
TYPED = "+8613911110077"


@pytest.fixture
def session(county_sessions: sessionmaker[Session]) -> Iterator[Session]:
    """A transaction over 武进区."""
    with county_sessions() as opened:
        yield opened


@pytest.fixture
def county(session: Session) -> County:
    return the_county(session)


def someone(session: Session, name: str, phone: str) -> Account:
    return register(session, enterprise_name=NAME, code=CODE, contact_name=name, phone=phone, password=None)


def a_member(session: Session, role: Role, division_id: int | None = None) -> tuple[Actor, Account]:
    account = Account(role=role, name="窗口", division_id=division_id)
    session.add(account)
    session.flush()
    return person_of(session, account).viewer, account


def viewer_of(session: Session, account: Account) -> Actor:
    session.flush()
    return person_of(session, account).viewer


def a_project(name: str, **more: object) -> RequestProject:
    return RequestProject(
        name=name, family=Family.INDUSTRIAL_PERMIT, site=SiteGiven(WUJIN), matters=("IND-104",), **more
    )  # type: ignore[arg-type]


def typed_by_an_agent(session: Session, county: County) -> str:
    """A case that an agent files for the enterprise, with a contact that the agent types."""
    agent = Actor(Role.AGENT, agent_id=county.agents[0].id, division_id=county.division.id, division_path="x")
    party = PartyGiven(name=NAME, credit_code=CODE, contact_name="某人", contact_phone=TYPED)
    return perform(session, a_project("被代填的项目", party=party), agent).case_no


def projects_of(session: Session, account: Account) -> set[str]:
    return set(session.scalars(select(Project.name).where(visible_projects(viewer_of(session, account)))))


def test_a_number_that_an_agent_typed_is_no_proof(session: Session, county: County) -> None:
    typed_by_an_agent(session, county)
    account = someone(session, "冒名者", TYPED)
    assert account.state is AccountState.WAITING
    assert viewer_of(session, account).sees_own_only


def test_who_comes_first_works_and_sees_only_what_it_filed(session: Session, county: County) -> None:
    first = someone(session, "李四", "+8613805192233")
    assert first.state is AccountState.ACTIVE
    perform(session, a_project("自己的项目"), viewer_of(session, first))
    case_no = typed_by_an_agent(session, county)
    case = session.scalars(select(Case).where(Case.case_no == case_no)).one()
    steps.open_ticket(
        session, kind=TicketKind.QUESTION, words="他人的问题", at=TEN, case=case,
        by=a_member(session, Role.LEAD, county.division.id)[0],
    )  # fmt: skip
    viewer = viewer_of(session, first)
    assert projects_of(session, first) == {"自己的项目"}
    assert [one.name for one in contacts(session, viewer)] == ["李四"]
    assert tickets(session, viewer) == []
    with pytest.raises(NotFound):
        perform(session, a_project("夺取", contact_id=case.contact_id), viewer)


def test_what_a_person_files_is_told_to_that_person(session: Session, county: County) -> None:
    first, owner = someone(session, "李四", "+8613805192233"), someone(session, "王五", "+8613805192299")
    lead, window = a_member(session, Role.LEAD, county.division.id)
    claims.approve_at_window(session, lead, window, owner.id, document="营业执照正本")
    perform(session, a_project("王五的项目"), viewer_of(session, owner))
    project = session.scalars(select(Project).where(Project.name == "王五的项目")).one()
    assert session.get_one(Contact, project.contact_id).account_id == owner.id
    assert project.filed_by != first.id


def test_the_window_confirms_on_a_document_and_makes_an_owner(session: Session, county: County) -> None:
    case_no = typed_by_an_agent(session, county)
    account = someone(session, "李四", "+8613805192233")
    lead, window = a_member(session, Role.LEAD, county.division.id)
    assert [line.account_id for line in claims.open_claims(session, lead)] == [account.id]
    with pytest.raises(claims.NoDocument):
        claims.approve_at_window(session, lead, window, account.id, document="  ")
    claims.approve_at_window(session, lead, window, account.id, document="营业执照正本、授权书")
    assert (account.state, account.is_owner) == (AccountState.ACTIVE, True)
    assert not viewer_of(session, account).sees_own_only
    assert projects_of(session, account) == {"被代填的项目"}, case_no
    event = session.scalars(select(AccountEvent).where(AccountEvent.kind == "approved_at_window")).one()
    assert (event.document, event.by_id) == ("营业执照正本、授权书", window.id)
    assert claims.open_claims(session, lead) == []


def test_a_lead_decides_no_claim_to_another_countys_enterprise(session: Session, county: County) -> None:
    other = another_county(session, county)
    typed_by_an_agent(session, county)
    account = someone(session, "李四", "+8613805192233")
    stranger, by = a_member(session, Role.LEAD, other.division.id)
    assert claims.open_claims(session, stranger) == []
    with pytest.raises(NotFound):
        claims.approve_at_window(session, stranger, by, account.id, document="营业执照正本")
    with pytest.raises(NotFound):
        claims.refuse_at_window(session, stranger, by, account.id, reason="不符")


def test_nobody_removes_the_owner_and_only_the_owner_removes(session: Session, county: County) -> None:
    lead, window = a_member(session, Role.LEAD, county.division.id)
    owner = someone(session, "李四", "+8613805192233")
    claims.approve_at_window(session, lead, window, owner.id, document="营业执照正本")
    one, two = someone(session, "王五", "+8613805192299"), someone(session, "赵六", "+8613805192298")
    for colleague in (one, two):
        claims.approve(session, owner, colleague.id)
    with pytest.raises(claims.OwnerStays):
        claims.remove(session, one, owner.id, reason="夺权")
    with pytest.raises(NotFound):
        claims.remove(session, one, two.id, reason="夺权")
    claims.remove(session, owner, two.id, reason="离职")
    assert (owner.state, two.state) == (AccountState.ACTIVE, AccountState.CLOSED)
    left = session.scalars(select(Contact).where(Contact.account_id == two.id)).one()
    assert left.left_at is not None
    claims.approve_at_window(
        session, lead, window, (third := someone(session, "钱七", "+8613805192297")).id, document="变更授权书",
        takes_over=True,
    )  # fmt: skip
    assert (third.is_owner, owner.is_owner, owner.state) == (True, False, AccountState.ACTIVE)


def test_a_stranger_who_came_first_approves_nobody_and_is_removed(session: Session, county: County) -> None:
    squatter = someone(session, "抢注者", "+8613805192233")
    real = someone(session, "李四", "+8613805192299")
    assert real.state is AccountState.WAITING
    for step in (claims.approve, lambda *args: claims.remove(*args, reason="?")):
        with pytest.raises(NotFound):
            step(session, squatter, real.id)
    lead, window = a_member(session, Role.LEAD, county.division.id)
    claims.approve_at_window(session, lead, window, real.id, document="营业执照正本")
    claims.remove(session, real, squatter.id, reason="不认识")
    assert squatter.state is AccountState.CLOSED


def test_a_typed_contact_with_the_same_number_stays_what_it_was(session: Session) -> None:
    enterprise = Enterprise(name=NAME, credit_code=CODE, created_at=TEN)
    session.add(enterprise)
    session.flush()
    typed = add_contact(session, enterprise.id, "某人", TYPED, at=TEN)
    account = someone(session, "李四", TYPED)
    lead, window = a_member(session, Role.OPERATOR)
    claims.approve_at_window(session, lead, window, account.id, document="营业执照正本")
    own = session.scalars(select(Contact).where(Contact.account_id == account.id)).one()
    assert (own.id != typed.id, typed.account_id) == (True, None)


def test_the_page_decides_with_a_document_that_was_seen(
    app: Flask, sign_in_as: Callable[..., FlaskClient], a_division: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        account = someone(session, "李四", "+8613805192233")
    lead, address = sign_in_as(Role.LEAD, division_id=a_division), f"/team/claims/{account.id}"
    assert NAME in lead.get("/team/claims").text
    for form in ({"document": "营业执照正本"}, {"seen": "yes"}, {"document": "  ", "seen": "yes"}):
        page = lead.post(address, data={"act": "approve"} | form, follow_redirects=True)
        assert 'class="notice bad"' in page.text
    assert (
        "核验通过"
        in lead.post(
            address, data={"act": "approve", "document": "营业执照正本", "seen": "yes"}, follow_redirects=True
        ).text
    )
    with sessions() as session:
        assert session.get_one(Account, account.id).confirmed_at is not None
    assert "还没有核验" not in signed_in_client(app, account).get("/my").text


def test_a_refused_claim_closes_the_account(
    app: Flask, sign_in_as: Callable[..., FlaskClient], a_division: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        account = someone(session, "冒名者", "+8613805192233")
    browser = signed_in_client(app, account)
    assert "还没有核验" in browser.get("/my").text
    lead, address = sign_in_as(Role.LEAD, division_id=a_division), f"/team/claims/{account.id}"
    assert "请写明原因" in lead.post(address, data={"act": "refuse"}, follow_redirects=True).text
    lead.post(address, data={"act": "refuse", "reason": "证件不符"})
    assert browser.get("/my").status_code == 302
