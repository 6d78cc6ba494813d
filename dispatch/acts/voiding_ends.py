"""Voiding ends: a delivery, a signature or a revocation that never was is taken back, where nothing stands on it."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.acts.bringing_back import bring_back, reopen
from dispatch.acts.early_ends import BY_REVOCATION
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.fact_event import FactEvent, FactKind
from dispatch.cases.lookups import actor_ref
from dispatch.cases.notify import day_of
from dispatch.cases.project import Delegation
from dispatch.cases.recorded_event import first_written, standing_events
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import WrongStage
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Handover, Holder
from dispatch.custody.parcel import Parcel, ParcelState

WITHOUT_A_LETTER = (Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION, Stage.REFUSED, Stage.WITHDRAWN)
"""Where a case can be although nobody has signed: all other stages stand on a letter in force."""


def void_delivery(session: Session, case: Case, event: FactEvent, *, by: Actor, at: datetime) -> None:
    """The results did not come home: what was fetched lies at the centre again, and the case is decided as before.

    What a courier handed over is with that courier again, who brings it in or finds who has it. Raises WrongStage with
    the name of what stands on it: a grade, a later handover of its papers."""
    if case.stage is Stage.EVALUATED:
        raise WrongStage(f"case {case.case_no} is graded", user_message="企业已评价本件，送达登记不能作废")
    if case.stage is not Stage.DELIVERED:
        raise WrongStage(f"case {case.case_no} is {case.stage}", user_message="本件已归档，送达登记不能作废")
    written_at = _first(case.facts, event).recorded_at
    parcels = select(Parcel).where(Parcel.case_id == case.id).order_by(Parcel.id).with_for_update()
    for parcel in session.scalars(parcels).all():
        home = [link for link in parcel.handovers if link.to_holder is Holder.ENTERPRISE and link.at == written_at]
        for link in home:
            _check_link(parcel, link)
            parcel.undo(link, scan_id=f"never_was:{event.id}:{parcel.waybill}", at=at, by=actor_ref(by))
    case.step_back(Stage.DECIDED, at=at, by=by.label)


def _check_link(parcel: Parcel, link: Handover) -> None:
    if link.seq != parcel.chain_length:
        raise WrongStage(
            f"parcel {parcel.waybill} moved on",
            user_message=LocalizedText("邮件%(waybill)s之后又有交接，送达登记不能作废", waybill=parcel.waybill),
        )


def check_unsigned(session: Session, letter: Delegation, event: FactEvent) -> None:
    """Raises WrongStage with the name of what stands on the letter: its end, a case that passed by it, an envelope."""
    if any(other.kind is FactKind.DELEGATION_REVOKED for other in standing_events(letter.facts)):
        raise WrongStage(f"letter {letter.id} is revoked", user_message="该委托书已登记撤销，请先作废撤销的登记")
    since = _first(letter.facts, event).recorded_at
    passed = (
        select(Case.case_no, func.min(CaseEvent.at).label("at"))
        .join(CaseEvent, CaseEvent.case_id == Case.id)
        .where(Case.project_id == letter.project_id, CaseEvent.stage.not_in(WITHOUT_A_LETTER))
        .having(func.min(CaseEvent.at) >= since)
        .group_by(Case.case_no)
        .order_by(Case.case_no)
    )
    for row in session.execute(passed):
        if not _is_covered(letter, row.at):
            raise WrongStage(
                f"case {row.case_no} was prescreened by letter {letter.id}",
                user_message=LocalizedText("办件%(case)s已凭该委托书通过预审，签署不能作废", case=row.case_no),
            )
    named = select(Parcel.waybill).where(
        Parcel.recipient_id.in_([person.id for person in letter.recipients]), Parcel.state != ParcelState.CANCELLED
    )
    if (waybill := session.scalar(named.order_by(Parcel.id).limit(1))) is not None:
        raise WrongStage(
            f"parcel {waybill} names a person of letter {letter.id}",
            user_message=LocalizedText("邮件%(waybill)s的收件人由该委托书授权，签署不能作废", waybill=waybill),
        )


def _is_covered(letter: Delegation, at: datetime) -> bool:
    """Whether another letter of the project allowed on that day what was done."""
    day = day_of(at)
    others = [one for one in letter.project.delegations if one is not letter and one.signed_at is not None]
    return any(
        one.valid_from <= day <= one.valid_to and (one.revoked_at is None or one.revoked_at > at) for one in others
    )


def void_revocation(
    session: Session, letter: Delegation, event: FactEvent, *, reason: str, by: Actor, at: datetime
) -> None:
    """The letter was never revoked: the cases that ended by it go on where they stood.

    Raises WrongStage with the name of what stands in the way: another enterprise, a letter since, papers sent home."""
    if letter.entruster != letter.project.enterprise.name or letter.project.merged_into_id is not None:
        raise WrongStage(
            f"letter {letter.id} is not of this project's enterprise",
            user_message="项目的申请企业已更正或项目已合并，该委托书不能恢复",
        )
    newer = [one for one in letter.project.delegations if one is not letter and one.signed_at and not one.revoked_at]
    if newer:
        raise WrongStage(f"letter {newer[0].id} was signed since", user_message="撤销后已签署新的委托书，撤销不能作废")
    ended = select(Case).where(
        Case.project_id == letter.project_id, Case.stage == Stage.WITHDRAWN, Case.ending_reason == BY_REVOCATION,
        Case.ended_at == _first(letter.facts, event).recorded_at,
    )  # fmt: skip
    cases = session.scalars(ended.order_by(Case.id).with_for_update()).all()
    for case in cases:
        bring_back(session, case, reason=reason, by=by, at=at)
    if cases:
        reopen(session, letter.project, at=at)


def _first(events: list[FactEvent], event: FactEvent) -> FactEvent:
    """The event as it was written down first, before any correction."""
    first = first_written(events)[event.id]
    return next(one for one in events if one.id == first)
