"""Asking: an enterprise, or who files for it, asks for proxy handling, adds a case, signs or revokes its letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import StringConstraints

from agents.network import Division, division_with, home_county
from dispatch.acts import delegation, project_intake
from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Latitude, Longitude, Why
from dispatch.acts.early_ends import revoke
from dispatch.acts.project_intake import ProjectIntake, ProjectSite
from dispatch.cases.case import Case, Way
from dispatch.cases.enterprises import add_contact, enterprise_with_code
from dispatch.cases.notify import day_of
from dispatch.cases.project import Contact, Enterprise, Power, Project
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.core.ids import ContactId, EnterpriseId, ProjectNo
from dispatch.core.localized_text import LocalizedText

STRICT: dict[str, Any] = {"extra": "forbid", "str_strip_whitespace": True}
Code = Annotated[str, StringConstraints(pattern=r"^\d{6,12}$")]
FullName = Annotated[str, MinLen(1), MaxLen(40)]
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{5,20}$")]
MatterCodes = Annotated[tuple[str, ...], MaxLen(60)]


class OutOfReach(Refused):
    """The place is not the actor's: an agent files for the own county, a lead for the own subtree."""

    user_message = "不在您的辖区内"


@dataclass(frozen=True, slots=True)
class SiteGiven:
    """Where the project stands; WGS-84."""

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
    credit_code: Annotated[str, MaxLen(18)]
    contact_name: FullName
    contact_phone: Number


@dataclass(frozen=True, slots=True)
class PersonGiven:
    """Somebody whom the letter names to hand originals over or to receive them."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: FullName
    phone: Number
    may_hand_over: bool = True
    may_receive: bool = True


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

    ``contact_id``: of the same enterprise, its first contact by default. Agents and leads say whose project it is, by
    ``enterprise_id`` or by ``party``."""

    name: Annotated[str, MinLen(1), MaxLen(120)]
    family: Family
    site: SiteGiven
    matters: Annotated[MatterCodes, MinLen(1)]
    pickup_way: Way = Way.COURIER
    delivery_way: Way = Way.COURIER
    project_code: Annotated[str, MinLen(24), MaxLen(24)] | None = None
    investment_wan: Annotated[int, Ge(0), Le(100_000_000)] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "zh"
    is_state_secret: bool = False
    contact_id: ContactId | None = None
    enterprise_id: EnterpriseId | None = None
    party: PartyGiven | None = None

    def perform(self, context: ActContext) -> Asked:
        enterprise, contact = self._party(context)
        _check_reach(context, division_with(context.session, self.site.division_code))
        site = ProjectSite(self.site.division_code, self.site.lon, self.site.lat, self.site.address)
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
            enterprise = enterprise_with_code(session, self.party.credit_code, self.party.name, at=context.at)
            name, phone = self.party.contact_name, self.party.contact_phone
            return enterprise, add_contact(session, enterprise.id, name, phone, at=context.at)
        enterprise_id = actor.enterprise_id or self.enterprise_id
        owner = session.get(Enterprise, enterprise_id) if enterprise_id else None
        if owner is None:
            raise Refused("whose project is it?", user_message="请指明企业")
        named = None if self.contact_id is None else context.row(Contact, self.contact_id)
        contact = named or next(iter(owner.contacts), None)
        if contact is None or contact.enterprise_id != owner.id:
            raise Refused("the enterprise has no such contact", user_message="请先登记企业联系人")
        return owner, contact


def _check_reach(context: ActContext, division: Division) -> None:
    actor, session = context.actor, context.session
    if actor.role not in {Role.AGENT, Role.LEAD}:
        return
    own = None if actor.division_id is None else session.get_one(Division, actor.division_id)
    home = own if own is None or actor.role is Role.LEAD else home_county(session, own) or own
    if home is None or not f"{division.path}.".startswith(f"{home.path}."):
        raise OutOfReach(f"{division.code} is out of {actor.label}'s reach")


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
        case = project_intake.open_case(
            context.session, context.row(Project, self.project), matters=self.matters, pickup_way=self.pickup_way,
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
    people: Annotated[tuple[PersonGiven, ...], MinLen(1), MaxLen(20)]
    valid_to: CalendarDate
    may_pass_on: bool = False

    def perform(self, context: ActContext) -> LetterResult:
        project = context.row(Project, self.project)
        people = [
            delegation.AuthorisedPerson(one.name, one.phone, one.may_hand_over, one.may_receive) for one in self.people
        ]
        letter = delegation.delegate(
            context.session, project, legal_representative=self.legal_representative, powers=set(self.powers),
            matters=self.matters, people=people, valid_to=self.valid_to, may_pass_on=self.may_pass_on,
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
            raise Refused("no letter is in force", user_message=LocalizedText("没有正在生效的委托书"))
        revoke(context.session, letter, reason=self.reason, by=context.actor, at=context.at)
        return project.project_no
