"""Asking: an enterprise, or who files for it, asks for proxy handling, adds a case, signs or revokes its letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen
from pydantic import StringConstraints
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network import Division, division_with, home_county
from dispatch.acts import delegation, project_intake
from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import Amount, CalendarDate, Latitude, Longitude, Phone, Why
from dispatch.acts.early_ends import revoke
from dispatch.acts.project_intake import ProjectIntake, ProjectSite
from dispatch.cases.case import Case, Way
from dispatch.cases.enterprises import add_contact, default_contact, enterprise_with_code, mobile_of
from dispatch.cases.notify import day_of
from dispatch.cases.project import Contact, Enterprise, Power, Project, ProjectState
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Role
from dispatch.core.canonical import canonical_name, visible_text
from dispatch.core.errors import Refused, WrongStage, of_field
from dispatch.core.ids import ContactId, EnterpriseId, ProjectNo
from dispatch.core.localized_text import LocalizedText

STRICT: dict[str, Any] = {"extra": "forbid", "str_strip_whitespace": True}
Code = Annotated[str, StringConstraints(pattern=r"^\d{6,12}$")]
FullName = Annotated[str, MinLen(1), MaxLen(40)]
MatterCodes = Annotated[tuple[str, ...], MaxLen(60)]


class OutOfReach(Refused):
    """The place is not the actor's: an agent files for the own county, a lead for the own subtree."""

    user_message = "不在您的辖区内"


class AlreadyAsked(Refused):
    """The enterprise has an open project of this name at this place."""


@dataclass(frozen=True, slots=True)
class SiteGiven:
    """Where the project stands; WGS-84. The address may be written with or without its division."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    division_code: Code
    lon: Longitude | None = None
    lat: Latitude | None = None
    address: Annotated[str, MaxLen(400)] = ""


@dataclass(frozen=True, slots=True)
class PartyGiven:
    """Whose project it is, by credit code (统一社会信用代码) and name, and who is told of each stage."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: Annotated[str, MinLen(1), MaxLen(200)]
    credit_code: Annotated[str, MaxLen(60)]
    contact_name: FullName
    contact_phone: Phone


@dataclass(frozen=True, slots=True)
class Asked:
    """A case that was asked for, and the code to ask after it."""

    project_no: str
    case_no: str
    query_code: str


@dataclass(frozen=True, slots=True)
class LetterResult:
    """A delegation letter, and the days on which it is in force."""

    project_no: str
    valid_from: date
    valid_to: date


def _asked(case: Case) -> Asked:
    return Asked(case.project.project_no, case.case_no, case.query_code)


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestProject:
    """A project with its first case: free proxy handling is asked for.

    ``contact_id``: of the same enterprise, by default the actor's own, else its first. Agents and leads say whose
    project it is, by ``enterprise_id`` or by ``party``."""

    name: Annotated[str, MinLen(1), MaxLen(120)]
    family: Family
    site: SiteGiven
    matters: Annotated[MatterCodes, MinLen(1)]
    pickup_way: Way = Way.COURIER
    delivery_way: Way = Way.COURIER
    project_code: Annotated[str, MaxLen(60)] | None = None
    investment_wan: Amount | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "zh"
    is_state_secret: bool = False
    contact_id: ContactId | None = None
    enterprise_id: EnterpriseId | None = None
    party: PartyGiven | None = None

    def perform(self, context: ActContext) -> Asked:
        enterprise, contact = self._party(context)
        division = division_with(context.session, self.site.division_code)
        check_reach(context, division)
        _check_new(context, enterprise, canonical_name(self.name), division)
        project_intake.check_point(division, self.site.lon, self.site.lat)
        site = ProjectSite(division.code, self.site.lon, self.site.lat, written_out(self.site.address, division))
        intake = ProjectIntake(
            name=self.name, family=self.family, site=site, matters=self.matters, investment_wan=self.investment_wan,
            project_code=self.project_code, facts=self.facts, language=self.language, pickup_way=self.pickup_way,
            delivery_way=self.delivery_way, is_state_secret=self.is_state_secret,
        )  # fmt: skip
        case = project_intake.request(
            context.session, enterprise=enterprise, contact=contact, intake=intake, by=context.actor, at=context.at
        )
        return _asked(case)

    def _party(self, context: ActContext) -> tuple[Enterprise, Contact]:
        """Whose project it is, and who is told. An enterprise asks for itself alone."""
        session, actor = context.session, context.actor
        if self.party is not None and actor.role is not Role.ENTERPRISE:
            return self._named_party(session, self.party, context.at)
        enterprise_id = actor.enterprise_id or self.enterprise_id
        owner = session.get(Enterprise, enterprise_id) if enterprise_id else None
        if owner is None:
            raise Refused("whose project is it?", user_message="请指明企业")
        named = None if self.contact_id is None else context.row(Contact, self.contact_id)
        contact = named or default_contact(session, actor, owner)
        if contact is None or contact.enterprise_id != owner.id:
            raise Refused("the enterprise has no such contact", user_message="请先登记企业联系人")
        return owner, contact

    def _named_party(self, session: Session, party: PartyGiven, at: datetime) -> tuple[Enterprise, Contact]:
        """The enterprise by its code, and the person whom each SMS must reach."""
        with of_field("party.contact_phone"):
            phone = mobile_of(party.contact_phone)
        with of_field("party.credit_code"):
            enterprise = enterprise_with_code(session, party.credit_code, party.name, at=at)
        return enterprise, add_contact(
            session, enterprise.id, party.contact_name, phone, at=at, locale="en" if self.language == "en" else "zh"
        )


def check_reach(context: ActContext, division: Division) -> None:
    actor, session = context.actor, context.session
    if actor.role not in {Role.AGENT, Role.LEAD}:
        return
    own = None if actor.division_id is None else session.get_one(Division, actor.division_id)
    home = own if own is None or actor.role is Role.LEAD else home_county(session, own) or own
    if home is None or not f"{division.path}.".startswith(f"{home.path}."):
        raise OutOfReach(f"{division.code} is out of {actor.label}'s reach", field="site.division_code")


def _check_new(context: ActContext, enterprise: Enterprise, name: str, division: Division) -> None:
    """The same request sent again, at whichever door, opens nothing twice: requests of one enterprise wait for each
    other until their transaction ends."""
    context.session.execute(select(func.pg_advisory_xact_lock(func.hashtext("request"), enterprise.id)))
    there = context.session.scalar(
        select(Project.project_no)
        .where(
            Project.enterprise_id == enterprise.id, Project.name == name, Project.division_id == division.id,
            Project.state != ProjectState.CLOSED,
        )
        .limit(1)
    )  # fmt: skip
    if there is not None:
        raise AlreadyAsked(
            f"project {there} has this name and place",
            user_message=LocalizedText("已有同名项目 %(no)s", no=there),
            field="name",
        )


def written_out(address: str, division: Division) -> str:
    """The address as a courier reads it: with its division, whichever way it was typed."""
    typed = visible_text(address)
    return typed if not typed or division.name in typed else f"{division.name}{typed}"


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """One more case of a project; it keeps the project's team."""

    project: ProjectNo
    version: int | None = None
    matters: Annotated[MatterCodes, MinLen(1)]
    pickup_way: Way = Way.COURIER
    delivery_way: Way = Way.COURIER

    def perform(self, context: ActContext) -> Asked:
        project = context.row(Project, self.project)
        case = project_intake.open_case(
            context.session, project, matters=self.matters, pickup_way=self.pickup_way,
            delivery_way=self.delivery_way, by=context.actor, at=context.at,
        )  # fmt: skip
        return _asked(case)


@act(by={Role.ENTERPRISE})
@dataclass(frozen=True, slots=True, kw_only=True)
class SignDelegation:
    """The delegation letter (委托书): what the centre may do, until when, who hands over and receives.

    ``matters``: none means all of the project's."""

    project: ProjectNo
    version: int | None = None
    legal_representative: FullName
    powers: Annotated[tuple[Power, ...], MinLen(1), MaxLen(10)]
    matters: MatterCodes = ()
    people: Annotated[tuple[delegation.AuthorisedPerson, ...], MinLen(1), MaxLen(20)]
    valid_to: CalendarDate
    may_pass_on: bool = False

    def perform(self, context: ActContext) -> LetterResult:
        project = context.row(Project, self.project)
        if project.delegation_on(day_of(context.at)) is not None:
            raise WrongStage(f"project {project.project_no} has a letter", user_message="已有正在生效的委托书")
        letter = delegation.delegate(
            context.session, project, legal_representative=self.legal_representative, powers=set(self.powers),
            matters=self.matters, people=self.people, valid_to=self.valid_to, may_pass_on=self.may_pass_on,
            by=context.actor, at=context.at,
        )  # fmt: skip
        return LetterResult(project.project_no, letter.valid_from, letter.valid_to)


@act(by={Role.ENTERPRISE})
@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDelegation:
    """The letter in force is revoked, effective at once: work stops, windows are told, papers come home."""

    project: ProjectNo
    version: int | None = None
    reason: Why

    def perform(self, context: ActContext) -> str:
        project = context.row(Project, self.project)
        letter = project.delegation_on(day_of(context.at))
        if letter is None:
            raise WrongStage("no letter is in force", user_message="没有正在生效的委托书")
        revoke(context.session, letter, reason=self.reason, by=context.actor, at=context.at)
        return project.project_no
