"""Correcting parties: who is told of a project was written down wrongly; the right one is told from now on."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import keyed_hash
from dispatch.acts.act import LEADS, STAFF, ActContext, act
from dispatch.acts.act_fields import Phone, Why
from dispatch.acts.announcing import renew_codes
from dispatch.acts.asking import FullName
from dispatch.acts.delegation import end_letter
from dispatch.acts.evidence_keeping import follow_enterprise
from dispatch.acts.project_corrections import CorrectedProject, PartChange, keep_correction
from dispatch.cases.access_control import visible_projects
from dispatch.cases.case import Case
from dispatch.cases.enterprises import add_contact, checked_credit_code, enterprise_with_code, mobile_of
from dispatch.cases.lookups import open_cases
from dispatch.cases.notify import add_timeline_event, day_of, query_code, queue_notice
from dispatch.cases.project import Contact, Enterprise, Project
from dispatch.cases.project_correction import ProjectPart
from dispatch.cases.review import Review
from dispatch.core.canonical import canonical_name
from dispatch.core.errors import Refused, WrongStage, of_field
from dispatch.core.ids import ProjectNo
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.parcel import Parcel
from notifications import outbox
from notifications.phone import mask
from routing.day.courier_stop import CourierStop, StopState

COMING = (StopState.OPEN, StopState.PLANNED, StopState.ARRIVED, StopState.FAILED)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectContact:
    """The person who is told of the project was written down wrongly: another name, another number.

    From now on every notice goes to the right number, also those that still wait; query codes are made anew, codes
    for the door as well, and the wrong number is told once that its messages were a mistake."""

    project: ProjectNo
    version: int | None = None
    name: FullName
    phone: Phone
    reason: Why

    def perform(self, context: ActContext) -> CorrectedProject:
        session, project = context.session, context.row(Project, self.project)
        with of_field("phone"):
            phone = mobile_of(self.phone)
        was, name = project.contact, canonical_name(self.name)
        if not name:
            raise Refused("a person has a name", user_message="请填写姓名")
        if was.phone == phone and was.name != name:
            change = PartChange(ProjectPart.CONTACT, in_words(was), f"{_short(name)}（{mask(phone)}）", self.reason)
            was.name = name
            return keep_correction(context, project, change)
        right = add_contact(session, project.enterprise_id, name, phone, at=context.at)
        change = PartChange(ProjectPart.CONTACT, in_words(was), in_words(right), self.reason)
        return replace_contact(context, project, right, change)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectEnterprise:
    """The project is another enterprise's than was written down, or its enterprise has another credit code.

    The same name with a code that nobody has: the code was wrong, and all projects of the enterprise keep it. Another
    enterprise: only before anything is filed under the wrong name; the letter of the wrong one ends with it."""

    project: ProjectNo
    version: int | None = None
    name: Annotated[str, MinLen(1), MaxLen(200)]
    credit_code: Annotated[str, MaxLen(60)]
    contact_name: FullName
    contact_phone: Phone
    reason: Why

    def perform(self, context: ActContext) -> CorrectedProject:
        session, project = context.session, context.row(Project, self.project)
        was = project.enterprise
        with of_field("credit_code"):
            code = checked_credit_code(session, self.credit_code)
        known = session.scalar(select(Enterprise).where(Enterprise.credit_code == code))
        if known is None and canonical_name(self.name) == was.name:
            return self._correct_code(context, project, was, code)
        if known is was:
            raise Refused("the enterprise stays as it was", user_message="没有填写要更正的内容")
        return self._move(context, project)

    def _correct_code(
        self, context: ActContext, project: Project, enterprise: Enterprise, code: str
    ) -> CorrectedProject:
        """All projects of the enterprise are in the actor's reach, or an operator does it. Raises Refused."""
        of_all = select(func.count()).select_from(Project).where(Project.enterprise_id == enterprise.id)
        if context.session.scalar(of_all) != context.session.scalar(of_all.where(visible_projects(context.actor))):
            raise Refused(
                f"enterprise {enterprise.id} has projects elsewhere",
                user_message="该企业在其他区县也有项目，请由管理员更正信用代码",
            )
        before = enterprise_in_words(enterprise)
        enterprise.credit_code = code
        change = PartChange(ProjectPart.ENTERPRISE, before, enterprise_in_words(enterprise), self.reason)
        return keep_correction(context, project, change)

    def _move(self, context: ActContext, project: Project) -> CorrectedProject:
        session, was = context.session, project.enterprise
        _check_nothing_filed(session, project)
        with of_field("contact_phone"):
            phone = mobile_of(self.contact_phone)
        with of_field("credit_code"):
            right = enterprise_with_code(session, self.credit_code, self.name, at=context.at)
        contact = add_contact(session, right.id, self.contact_name, phone, at=context.at)
        change = PartChange(
            ProjectPart.ENTERPRISE, enterprise_in_words(was), enterprise_in_words(right), self.reason
        )  # fmt: skip
        project.enterprise = right
        project.filed_by = None  # whoever asked for it under the wrong enterprise sees it no longer
        session.flush()
        follow_enterprise(session, project, reason=self.reason, by=context.actor, at=context.at)
        _end_letters(context, project)
        done = replace_contact(context, project, contact, change)
        for stop in _stops_coming(session, open_cases(session, project)):
            if stop.label == was.name:
                stop.label = right.name
                stop.version += 1
        return done


def _check_nothing_filed(session: Session, project: Project) -> None:
    of_project = select(Review.id).join(Case, Case.id == Review.case_id).where(Case.project_id == project.id)
    if session.scalar(of_project.where(Review.filed_at.is_not(None)).limit(1)) is not None:
        raise WrongStage(
            f"project {project.project_no} has filed matters",
            user_message="已以原企业名义报送，不能改为其他企业；请撤件后以正确的企业重新申请",
        )


def _end_letters(context: ActContext, project: Project) -> None:
    """The letter of the wrong enterprise allows nothing here; the right one signs its own."""
    for letter in project.delegations:
        if letter.is_in_force(day_of(context.at)):
            end_letter(context.session, letter, reason="申请企业更正", by=context.actor, at=context.at)
            for case in open_cases(context.session, project):
                add_timeline_event(
                    context.session, case, kind="revoked", by=context.actor, at=context.at,
                    words=LocalizedText("原企业的委托书随申请企业更正失效，请正确的企业重新签署委托书"),
                )  # fmt: skip


# ---------------------------------------------------------------- who is told


def replace_contact(context: ActContext, project: Project, right: Contact, change: PartChange) -> CorrectedProject:
    """Notices, codes and couriers turn to the right person; the wrong number hears once that it was a mistake."""
    session, wrong = context.session, project.contact
    cases = open_cases(session, project)
    project.contact = right
    for case in cases:
        case.contact = right
        code = query_code()
        case.query_code, case.query_hash = code, keyed_hash(f"query:{code}")
    _turn_couriers(session, cases, wrong, right)
    done = keep_correction(context, project, change, is_told=False)
    for case in cases:
        if wrong.phone != right.phone:
            outbox.readdress(session, case_id=case.id, was=wrong.phone, to=right.phone)
        queue_notice(
            session, case, "contact_corrected", at=context.at, key=f"version:{project.version}",
            values={"query_code": case.query_code},
        )  # fmt: skip
    if wrong.phone != right.phone:
        _renew_codes(context, project, cases)
    if cases and wrong.phone and wrong.phone != right.phone:
        outbox.queue_message(session, outbox.NewMessage(
            event_key=f"{project.project_no}:told_wrongly:{project.version}", text="told_wrongly", to=wrong.phone,
            locale=wrong.locale, values={}, at=context.at, division_id=project.home_division_id,
            project_id=project.id,
        ))  # fmt: skip
    session.flush()
    return done


def _stops_coming(session: Session, cases: list[Case]) -> list[CourierStop]:
    """The visits that are still to come for these cases."""
    ids = select(Parcel.stop_id).where(Parcel.case_id.in_([case.id for case in cases]), Parcel.stop_id.is_not(None))
    stops = select(CourierStop).where(CourierStop.id.in_(ids), CourierStop.state.in_(COMING)).order_by(CourierStop.id)
    return list(session.scalars(stops.with_for_update()))


def _renew_codes(context: ActContext, project: Project, cases: list[Case]) -> None:
    """The codes for the door that the wrong number was told open nothing more; the right one is told others, once."""
    why = f"{project.project_no}:{project.version}"
    for stop in _stops_coming(context.session, cases):
        renew_codes(
            context.session, stop, {case.id for case in cases}, by=context.actor, at=context.at, why=why
        )  # fmt: skip


def _turn_couriers(session: Session, cases: list[Case], wrong: Contact, right: Contact) -> None:
    """Couriers who are to ask for the wrong person ask for the right one; who stands on the letter stays."""
    for stop in _stops_coming(session, cases):
        if (stop.contact_name, stop.contact_phone) == (wrong.name, wrong.phone):
            stop.contact_name, stop.contact_phone = right.name, right.phone
            stop.version += 1
    of_cases = select(Parcel).where(Parcel.case_id.in_([case.id for case in cases]), Parcel.recipient_id.is_(None))
    for parcel in session.scalars(of_cases.order_by(Parcel.id)).all():
        if parcel.person == wrong.name:
            parcel.person = right.name


def in_words(contact: Contact) -> str:
    """Whom a correction names: masked, for it is kept."""
    return f"{_short(contact.name)}（{mask(contact.phone)}）"


def _short(name: str) -> str:
    return f"{name[:1]}{'*' * (len(name) - 1)}"


def enterprise_in_words(enterprise: Enterprise) -> str:
    """An enterprise as a correction names it."""
    return f"{enterprise.name}（{enterprise.credit_code}）" if enterprise.credit_code else enterprise.name
