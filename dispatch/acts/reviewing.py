"""Review: filed, accepted, paused, extended and decided, matter by matter, as the authority's papers say."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.slots import release_slot
from dispatch.cases.case import Case, Outcome, Way
from dispatch.cases.expected_dates import renew
from dispatch.cases.lookups import lead_agent, parcels_of, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, queue_stage_notice
from dispatch.cases.project import Power, Project
from dispatch.cases.review import Review, ReviewPause, ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.catalog import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.localized_text import DayText, ListText, LocalizedText
from dispatch.custody.custody import Holder, Leg
from dispatch.path.applicability import BY_COMMITMENT
from dispatch.path.approval_graph import Relief


def submit(session: Session, case: Case, *, receipts: Mapping[int, str], by: Actor, at: datetime) -> Case:
    """The agent files with the authorities: ``receipts`` gives the filing receipt of each review by its id."""
    case.must_be(Stage.PRESCREENED, Stage.COLLECTED)
    if case.stage is Stage.PRESCREENED and case.pickup_way is not Way.ELECTRONIC:
        raise WrongStage(f"case {case.case_no}: the originals are not in yet", case_no=case.case_no)
    project = session.get_one(Project, case.project_id)
    letter = project.delegation_on(day_of(at))
    if letter is None or not letter.allows(Power.SUBMIT, day_of(at)):
        raise Refused(f"case {case.case_no}: no delegation allows filing", user_message="委托书未授权代为申报或已失效")
    on_the_way = [p.waybill for p in parcels_of(session, case) if p.leg is Leg.PICKUP and p.holder is Holder.COURIER]
    if on_the_way:
        raise Refused(
            f"parcels {on_the_way} are still with the courier", user_message="原件还在揽投员处，请先在中心签收"
        )
    calendar = calendar_of(session)
    reviews = reviews_of(session, case)
    for review in reviews:
        if review.state in {ReviewState.PREPARED, ReviewState.SIMULATED}:
            review.file(at=at, receipt_no=receipts.get(review.id, ""), calendar=calendar)
    case.move_to(Stage.SUBMITTED, at=at, by=by.label)
    authorities = sorted({review.authority for review in reviews})
    queue_stage_notice(
        session, case, at=at, by=by, words=LocalizedText("已报送：%(names)s", names=ListText(authorities)),
        count=str(len(reviews)), centre=authorities[0][:20] if authorities else "",
    )  # fmt: skip
    return case


def simulate_review(session: Session, review: Review, *, by: Actor, at: datetime) -> None:
    """Simulated approval (模拟审批): a draft opinion before the land is granted, made formal by filing."""
    case = session.get_one(Case, review.case_id)
    review.move_to(ReviewState.SIMULATED)
    review.relief = Relief.SIMULATED
    add_timeline_event(
        session,
        case,
        kind="simulated",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s进入模拟审批", matter=review.matter.short_name),
        review_id=review.id,
    )


def accept(session: Session, review: Review, *, notice_no: str, by: Actor, at: datetime, deemed: bool = False) -> None:
    """The authority's written acceptance (受理通知书), or five working days of its silence."""
    case, calendar = session.get_one(Case, review.case_id), calendar_of(session)
    review.accept(at=at, notice_no=notice_no, calendar=calendar, deemed=deemed)
    refresh_dates(session, case)
    if case.stage is Stage.SUBMITTED:
        case.move_to(Stage.UNDER_REVIEW, at=at, by=by.label)
    assert review.committed_due_at is not None
    promised = DayText(day_of(review.committed_due_at))
    words = LocalizedText(
        "%(matter)s视为受理，承诺%(day)s前办结" if deemed else "%(matter)s已受理，承诺%(day)s前办结",
        matter=review.matter.short_name, day=promised,
    )  # fmt: skip
    add_timeline_event(
        session, case, kind="accepted", by=by, at=at, words=words, review_id=review.id, notice_no=notice_no
    )
    queue_notice(
        session, case, "accepted", at=at, key=f"{review.id}:{review.version}",
        values={
            "matter": review.matter.short_name[:20], "day": DayText(day_of(at)), "authority": review.authority[:20],
            "due": promised,
        },
    )  # fmt: skip
    if review.survey_on is not None:
        add_timeline_event(
            session,
            case,
            kind="survey",
            by=by,
            at=at,
            words=LocalizedText("现场勘验%(day)s", day=DayText(review.survey_on)),
        )
    renew(session, case, at=at)


def ask_supplement(session: Session, review: Review, *, words: str, by: Actor, at: datetime) -> None:
    """The authority asks for corrections (补正), all at once and within five working days."""
    case = session.get_one(Case, review.case_id)
    review.ask_corrections(at=at, words=words, calendar=calendar_of(session))
    add_timeline_event(
        session,
        case,
        kind="supplement",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s需补正：%(words)s", matter=review.matter.short_name, words=words),
        review_id=review.id,
    )
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "correction", at=at, key=f"{review.id}:{review.version}",
        values={"count": "1", "agent": agent.name if agent else ""},
    )  # fmt: skip


def refile(session: Session, review: Review, *, receipt_no: str, by: Actor, at: datetime) -> None:
    """The corrections are in: filed again, and five days begin anew."""
    case = session.get_one(Case, review.case_id)
    review.file(at=at, receipt_no=receipt_no, calendar=calendar_of(session))
    add_timeline_event(
        session,
        case,
        kind="refiled",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s已补正并再次报送", matter=review.matter.short_name),
        review_id=review.id,
    )


PAUSE_WORDS = {
    "hearing": "听证",
    "tender": "招标",
    "auction": "拍卖",
    "inspection": "检验",
    "testing": "检测",
    "quarantine": "检疫",
    "appraisal": "鉴定",
    "expert_review": "专家评审",
    "publicity": "公示",
}


def pause(session: Session, review: Review, pause: ReviewPause, *, by: Actor, at: datetime) -> None:
    """A special procedure (特别程序) stops the legal clock; the enterprise is told why and until when."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    review.pause(pause, at=at, calendar=calendar_of(session))
    _tell_later(session, case, review, "paused", before, reason=PAUSE_WORDS[pause.kind.value], by=by, at=at)


def resume(session: Session, review: Review, *, on: date, by: Actor, at: datetime) -> None:
    """The special procedure is over: the clock runs again."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    review.resume(on=on, at=at, calendar=calendar_of(session))
    add_timeline_event(
        session,
        case,
        kind="resumed",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s特别程序结束，恢复计时", matter=review.matter.short_name),
    )
    if review.committed_due_at != before:
        _tell_later(session, case, review, "late", before, reason="特别程序结束", by=by, at=at)
    else:
        renew(session, case, at=at, rebase=True, quiet=True)


def extend(
    session: Session, review: Review, *, working_days: int, approved_on: date, reason: str, by: Actor, at: datetime
) -> None:
    """An extension (延期) that the authority's head approved."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    review.extend(
        working_days=working_days, approved_on=approved_on, reason=reason, at=at, calendar=calendar_of(session)
    )
    _tell_later(session, case, review, "extended", before, reason=reason, by=by, at=at)


def _tell_later(
    session: Session,
    case: Case,
    review: Review,
    text: str,
    before: datetime | None,
    *,
    reason: str,
    by: Actor,
    at: datetime,
) -> None:
    refresh_dates(session, case)
    assert review.committed_due_at is not None
    now_due = DayText(day_of(review.committed_due_at))
    words = LocalizedText(
        "%(matter)s：%(reason)s，预计%(day)s前办结", matter=review.matter.short_name, reason=reason, day=now_due
    )
    add_timeline_event(session, case, kind=text, by=by, at=at, words=words, review_id=review.id)
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, text, at=at, key=f"{review.id}:{review.version}",
        values={
            "matter": review.matter.short_name[:20], "was": DayText(day_of(before)) if before else now_due,
            "now": now_due, "reason": reason[:20], "agent": agent.name if agent else "",
        },
    )  # fmt: skip
    # The law moved it, and the enterprise has just been told why: from now on the case is measured by the new date.
    renew(session, case, at=at, rebase=True, quiet=True)


def refuse_acceptance(session: Session, review: Review, *, reason: str, by: Actor, at: datetime) -> None:
    """The authority does not accept the filing (不予受理), with its reasons."""
    if not reason.strip():
        raise Refused("a refusal to accept needs its reasons", user_message="不予受理须说明理由")
    case = session.get_one(Case, review.case_id)
    review.move_to(ReviewState.NOT_ACCEPTED)
    review.decided_at, review.decision_reason = at, reason
    _settle_decision(session, case, review, by=by, at=at)


def decide(
    session: Session,
    review: Review,
    *,
    outcome: ReviewState,
    decision_no: str,
    by: Actor,
    at: datetime,
    reason: str = "",
) -> None:
    """The authority's decision. The case is decided with its last review; a denial never reads as success."""
    case = session.get_one(Case, review.case_id)
    owed = [m.name for m in case.materials if m.is_owed and m.matter_id == review.matter_id]
    if outcome is ReviewState.GRANTED and owed:
        raise Refused(
            f"deferred materials are missing: {owed}",
            user_message=LocalizedText("容缺材料未补齐，不能作出决定：%(names)s", names=ListText(owed)),
        )
    review.decide(outcome, at=at, decision_no=decision_no, reason=reason, calendar=calendar_of(session))
    _settle_decision(session, case, review, by=by, at=at)


def grant_on_commitment(
    session: Session, review: Review, *, decision_no: str, verify_by: date, by: Actor, at: datetime
) -> None:
    """Decided at once on a written commitment (告知承诺), where the catalogue allows it; verified afterwards."""
    if review.matter.code not in BY_COMMITMENT:
        raise Refused(f"{review.matter.code} is not decided on commitment", user_message="该事项不适用告知承诺")
    case = session.get_one(Case, review.case_id)
    review.grant_on_commitment(at=at, decision_no=decision_no, verify_by=verify_by, calendar=calendar_of(session))
    if case.stage is Stage.SUBMITTED:
        case.move_to(Stage.UNDER_REVIEW, at=at, by=by.label)
    _settle_decision(session, case, review, by=by, at=at)


def verify_commitment(session: Session, review: Review, *, holds: bool, reason: str, by: Actor, at: datetime) -> None:
    """What the verification found; a commitment that was false costs the decision, and the enterprise is told."""
    if not holds and not reason.strip():
        raise Refused("a revocation needs its reasons", user_message="撤销决定须说明理由")
    case = session.get_one(Case, review.case_id)
    review.verify(holds=holds, at=at)
    words = (
        LocalizedText("承诺经核查属实") if holds else LocalizedText("承诺不实，决定已撤销：%(reason)s", reason=reason)
    )
    add_timeline_event(session, case, kind="verified" if holds else "decision_revoked", by=by, at=at,
         words=LocalizedText("%(matter)s：%(words)s", matter=review.matter.short_name, words=words),
         review_id=review.id)  # fmt: skip
    if not holds:
        queue_notice(
            session, case, "commitment_revoked", at=at, key=str(review.id),
            values={"matter": review.matter.short_name[:20], "day": DayText(day_of(at))},
        )  # fmt: skip


def _settle_decision(session: Session, case: Case, review: Review, *, by: Actor, at: datetime) -> None:
    session.flush()
    words = {
        ReviewState.GRANTED: "准予许可",
        ReviewState.DENIED: "不予许可",
        ReviewState.NOT_ACCEPTED: "不予受理",
        ReviewState.RETURNED: "退办",
    }[review.state]
    decided = LocalizedText("%(matter)s：%(words)s", matter=review.matter.short_name, words=LocalizedText(words))
    add_timeline_event(session, case, kind="decided", by=by, at=at, words=decided, review_id=review.id)
    queue_notice(
        session, case, "decided", at=at, key=str(review.id),
        values={"matter": review.matter.short_name[:20], "day": DayText(day_of(at))},
    )  # fmt: skip
    release_liaison(session, case, review, at=at)
    reviews = reviews_of(session, case)
    if all(r.is_decided for r in reviews):
        granted = sum(r.state is ReviewState.GRANTED for r in reviews)
        case.outcome = Outcome.GRANTED if granted == len(reviews) else Outcome.PARTLY if granted else Outcome.DENIED
        case.decided_at = at
        case.move_to(Stage.DECIDED, at=at, by=by.label)
        add_timeline_event(session, case, kind="all_decided", by=by, at=at, words="全部事项已办结")
    refresh_dates(session, case)
    renew(session, case, at=at)


def release_liaison(session: Session, case: Case, review: Review, *, at: datetime) -> None:
    """A liaison's slot is free once the last review at that counter is decided."""
    project = session.get_one(Project, case.project_id)
    for member in project.liaisons:
        if member.counter != review.counter:
            continue
        open_reviews = session.scalar(
            select(func.count())
            .select_from(Review)
            .join(Case, Case.id == Review.case_id)
            .where(
                Case.project_id == project.id,
                Review.counter == member.counter,
                Review.decided_at.is_(None),
                Review.state != ReviewState.WITHDRAWN,
            )
        )
        if not open_reviews:
            member.until = at
            release_slot(session, member.agent_id)


def refresh_dates(session: Session, case: Case) -> None:
    """The case's legal and committed days: the latest of its reviews'."""
    reviews = [r for r in reviews_of(session, case) if r.legal_due_at is not None]
    if reviews:
        case.legal_due_on = max(day_of(r.legal_due_at) for r in reviews if r.legal_due_at)
        case.committed_due_on = max(day_of(r.committed_due_at) for r in reviews if r.committed_due_at)
