"""Deriving: limits follow when the calendar, the opening hours or the day itself moves them, and it is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.roster import Agent
from dispatch.acts.act import ActContext, act
from dispatch.acts.answering import tell_moved_answer
from dispatch.cases.case import Case
from dispatch.cases.derived import MovedLimit, derive_review, refresh_dates_of, review_ids
from dispatch.cases.evaluation import Ticket
from dispatch.cases.lookups import lead_agents
from dispatch.cases.notify import CaseNotice, add_timeline_event, day_of, queue_notices
from dispatch.cases.obligations.keeping import keep_all_others, keep_portion
from dispatch.cases.obligations.kept_dues import stale_ticket_dues
from dispatch.cases.project import Project
from dispatch.cases.project_path import DivisionRulesCache, matters_on_project
from dispatch.cases.review import Review, ReviewPause
from dispatch.cases.review_state import REVIEW_ENDS, ReviewState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM
from dispatch.core.localized_text import DayText, LocalizedText

TOGETHER = 50  # reviews in one transaction: what waits for one of their cases waits less than a second
CATALOGUE_MOVED = LocalizedText("事项目录或区域评估调整")
CALENDAR_MOVED = LocalizedText("工作日历或作息时间调整")
PAUSE_RUNS_ON = LocalizedText("特别程序超过预计结束日期")


@dataclass(frozen=True, slots=True)
class DerivedPortion:
    """What one portion of open reviews brought: how far it went (None: to the end), and the limits that moved."""

    last: int | None
    moved: tuple[MovedLimit, ...]


@act(is_routine=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveLimits:
    """The limits of reviews beyond the id ``after`` are folded anew, one portion in a transaction.

    ``with_catalogue``: what the catalogue and the area evaluations say of an open matter is asked first. The reviews of
    ``ended`` cases follow without a word to anybody."""

    after: int = 0
    with_catalogue: bool = False
    ended: bool = False

    def perform(self, context: ActContext) -> DerivedPortion:
        ids = review_ids(context.session, after=self.after, limit=TOGETHER, ended=self.ended)
        if self.with_catalogue and not self.ended:
            take_limits(context, ids)
        reason = CATALOGUE_MOVED if self.with_catalogue else CALENDAR_MOVED
        moved = derive_reviews(context, ids, reason=reason, is_told=not self.ended)
        return DerivedPortion(ids[-1] if len(ids) == TOGETHER else None, tuple(moved))


@act(is_routine=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveObligations:
    """What the cases beyond the id ``after`` owe is folded anew, one portion in a transaction; what is owed beside
    cases with the first. How far it went; None: to the end."""

    after: int = 0

    def perform(self, context: ActContext) -> int | None:
        if self.after == 0:
            moved = list(stale_ticket_dues(context.session))
            keep_all_others(context.session)
            for due in moved:
                if due.kept is not None:
                    tell_moved_answer(context.session, context.session.get_one(Ticket, due.id), due.kept, at=context.at)
        return keep_portion(context.session, after=self.after)


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class ExtendRunningPauses:
    """A special procedure that outlives its expected end moves its limit by each further day, up to its maximum."""

    def perform(self, context: ActContext) -> int:
        today = day_of(context.at)
        over = select(ReviewPause.review_id).where(ReviewPause.ended_on.is_(None), ReviewPause.expected_end_on < today)
        query = select(Review.id).where(Review.state == ReviewState.PAUSED, Review.id.in_(over)).order_by(Review.id)
        ids = list(context.session.scalars(query))
        return len(derive_reviews(context, ids, reason=PAUSE_RUNS_ON))


def take_limits(context: ActContext, wanted: Iterable[int]) -> None:
    """Undecided reviews follow what the catalogue, the place and the area evaluations say of them on their project."""
    session = context.session
    rows = session.execute(
        select(Review, Project)
        .join(Case, Case.id == Review.case_id)
        .join(Project, Project.id == Case.project_id)
        .where(Review.id.in_(list(wanted)), Review.state.not_in(REVIEW_ENDS))
        .options(selectinload(Review.matter))
        .order_by(Case.id)
        .with_for_update(of=Case.__table__)
    ).all()
    of_project: dict[int, list[Review]] = {}
    projects = {project.id: project for _, project in rows}
    for review, project in rows:
        of_project.setdefault(project.id, []).append(review)
    places = DivisionRulesCache(session)
    for project_id, reviews in of_project.items():
        codes = [review.matter.code for review in reviews]
        matters = matters_on_project(session, projects[project_id], codes, at=context.at, places=places)
        for review in reviews:
            if (mine := matters.get(review.matter.code)) is not None:
                review.follow(mine)
    session.flush()


def derive_reviews(
    context: ActContext, ids: Iterable[int], *, reason: LocalizedText, is_told: bool = True
) -> list[MovedLimit]:
    """Fold these reviews anew, cases locked in order; whoever is promised another day hears of it, with the reason."""
    session, wanted = context.session, list(ids)
    case_ids = select(Review.case_id).where(Review.id.in_(wanted))
    cases = session.scalars(select(Case).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update()).all()
    reviews = session.scalars(
        select(Review)
        .where(Review.id.in_(wanted))
        .options(selectinload(Review.events), selectinload(Review.pauses), selectinload(Review.matter))
        .order_by(Review.id)
        .execution_options(populate_existing=True)
    ).all()
    calendar, today = calendar_of(session), day_of(context.at)
    legal_was = {review.id: review.legal_due_at for review in reviews}
    moved = [limit for review in reviews if (limit := derive_review(review, calendar, today)) is not None]
    concerned = {review.case_id for review in reviews if review.legal_due_at != legal_was[review.id]}
    concerned |= {review.case_id for review in reviews if review.id in {limit.review_id for limit in moved}}
    refresh_dates_of(session, [case for case in cases if case.id in concerned])
    if not is_told:
        return []
    _tell_all(context, {case.case_no: case for case in cases}, moved, reason)
    return moved


def _tell_all(
    context: ActContext, by_number: Mapping[str, Case], moved: Sequence[MovedLimit], reason: LocalizedText
) -> None:
    """Whoever is promised another day hears of it: all of a portion are read and written together."""
    session = context.session
    told = [by_number[limit.case_no] for limit in moved]
    agents = lead_agents(session, told, context.at)
    with session.no_autoflush:  # nothing that is asked for here depends on what is written here
        notices = [
            notice
            for case, limit in zip(told, moved, strict=True)
            if (notice := _tell_moved(session, case, limit, reason, agents.get(case.id), context)) is not None
        ]
        queue_notices(session, notices, at=context.at)


def _tell_moved(
    session: Session, case: Case, limit: MovedLimit, reason: LocalizedText, agent: Agent | None, context: ActContext
) -> CaseNotice | None:
    """A line on the timeline; a notice where the day is later than was said, and where it has become firm."""
    if limit.now is None or limit.was is None:
        return None
    if limit.is_firm_now:
        return _tell_firm(session, case, limit, limit.now, context)
    was, now = DayText(day_of(limit.was)), DayText(day_of(limit.now))
    words = LocalizedText(
        "%(matter)s：%(reason)s，期限由%(was)s改为%(now)s", matter=limit.matter, reason=reason, was=was,
        now=now,
    )  # fmt: skip
    add_timeline_event(
        session, case, kind="limit_moved", by=SYSTEM, at=context.at, words=words, review_id=limit.review_id
    )
    case.look_anew()
    if limit.now <= limit.was or case.decided_at is not None:
        return None
    return CaseNotice(
        case, "late", key=f"limit:{limit.review_id}:{day_of(limit.now)}",
        values={
            "matter": limit.matter, "was": was, "now": now, "reason": reason,
            "agent": agent.name if agent else "",
        },
    )  # fmt: skip


def _tell_firm(session: Session, case: Case, limit: MovedLimit, now: datetime, context: ActContext) -> CaseNotice:
    """The year's holidays are published: the day that was provisional is said again, once."""
    due = DayText(day_of(now))
    words = LocalizedText("%(matter)s：放假安排已公布，应于%(day)s前办结", matter=limit.matter, day=due)
    add_timeline_event(
        session, case, kind="limit_moved", by=SYSTEM, at=context.at, words=words, review_id=limit.review_id
    )
    case.look_anew()
    return CaseNotice(
        case, "due_firm", key=f"firm:{limit.review_id}:{day_of(now)}",
        values={"matter": limit.matter[:20], "due": due},
    )  # fmt: skip
