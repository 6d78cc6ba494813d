"""Project order: what each matter of a project still waits for, before it is filed and before it is granted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.cases.project_path import DivisionRulesCache, ProjectPath, project_path
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.core.errors import Refused
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.path.order_of_matters import waits_before_decision, waits_before_filing

GRANTS = frozenset({EventKind.GRANTED, EventKind.GRANTED_ON_COMMITMENT})
RELIEVES_FILING = frozenset({EventKind.ORDER_DEFERRED, EventKind.ORDER_COMMITTED})
RELIEVES_DECISION = frozenset({EventKind.ORDER_COMMITTED})


@dataclass(frozen=True, slots=True)
class OpenPrerequisites:
    """The matters of the project, by their short names, that are to be granted first."""

    to_file: tuple[str, ...] = ()
    to_decide: tuple[str, ...] = ()


NOTHING_FIRST = OpenPrerequisites()


def open_prerequisites(
    session: Session,
    project: Project,
    *,
    at: datetime,
    by: date | None = None,
    places: DivisionRulesCache | None = None,
) -> Mapping[str, OpenPrerequisites]:
    """What each matter with a review still waits for, by its code. ``by``: only what was granted until that day counts.

    The lead's edits of the path count; a prerequisite that no case of the project asks for is passed through."""
    mine = project_path(session, project, at=at, places=places)
    return {} if mine is None else prerequisites_on(mine, by=by)


def prerequisites_on(mine: ProjectPath, *, by: date | None = None) -> Mapping[str, OpenPrerequisites]:
    """The same, of a path that was read before."""
    there = {code for code, _ in mine.reviews}
    granted = {code for code, review in mine.reviews if _is_granted(review, by)}
    path = mine.path.just(there)
    short = {step.code: step.matter.short for step in path.steps}
    return {
        code: OpenPrerequisites(
            tuple(short[on] for on in waits_before_filing(path, code) if on not in granted),
            tuple(short[on] for on in waits_before_decision(path, code) if on not in granted),
        )
        for code in path.codes
    }


def _is_granted(review: Review, by: date | None) -> bool:
    if review.state is not ReviewState.GRANTED or review.revoked_at is not None or review.decided_at is None:
        return False
    return by is None or in_shanghai(review.decided_at).date() <= by


def is_relieved(review: Review, kind: EventKind, on: date) -> bool:
    """A recorded relief (容缺受理, 告知承诺) lets the matter be filed, or granted, on that day before its turn."""
    lets = RELIEVES_DECISION if kind in GRANTS else RELIEVES_FILING
    return any(
        event.kind in lets and event.until is not None and event.happened_on <= on <= event.until
        for event in review.standing_events()
    )


def check_order(session: Session, review: Review, event: EventFacts, *, at: datetime) -> None:
    """A matter is filed, and granted, after those that it waits for, or on a recorded relief. Raises Refused."""
    is_filing = event.kind is EventKind.FILED and review.filed_at is None
    if not is_filing and event.kind not in GRANTS:
        return
    project = session.get_one(Project, session.get_one(Case, review.case_id).project_id)
    waits = open_prerequisites(session, project, at=at, by=event.happened_on).get(review.matter.code)
    if waits is None:
        return
    left = waits.to_file if is_filing else waits.to_decide
    if left and not is_relieved(review, event.kind, event.happened_on):
        raise out_of_order(review, left, is_filing=is_filing)


def out_of_order(review: Review, left: Iterable[str], *, is_filing: bool) -> Refused:
    """The refusal that names what comes first, and the way round."""
    first = ListText(left)
    return Refused(
        f"{review.matter.code} waits for {first}",
        user_message=LocalizedText(
            "%(words)s；审批部门同意容缺或告知承诺的，请先登记",
            words=LocalizedText(
                "“%(matter)s”须待“%(names)s”准予后报送" if is_filing else "“%(matter)s”须待“%(names)s”准予后才能准予",
                matter=review.matter.short_name,
                names=first,
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """A matter that stands granted although others were to be granted first, and no relief says why."""

    case_no: str
    matter: str
    granted_on: date
    first: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.case_no} {self.matter} granted on {self.granted_on} before {', '.join(self.first)}"


def out_of_order_decisions(session: Session, *, at: datetime) -> Iterator[OutOfOrder]:
    """Every one of them; earlier releases asked for no order."""
    several = (
        select(Case.project_id)
        .join(Review, Review.case_id == Case.id)
        .group_by(Case.project_id)
        .having(func.count(Review.id) > 1)
    )
    granted = (
        select(Review, Case.case_no, Case.project_id)
        .join(Case, Case.id == Review.case_id)
        .where(Review.state == ReviewState.GRANTED, Case.project_id.in_(several))
        .options(selectinload(Review.events), selectinload(Review.matter))
        .order_by(Review.id)
    )
    places = DivisionRulesCache(session)
    for review, case_no, project_id in session.execute(granted):
        assert review.decided_at is not None
        on = in_shanghai(review.decided_at).date()
        project = session.get_one(Project, project_id)
        waits = open_prerequisites(session, project, at=at, by=on, places=places).get(review.matter.code)
        if waits is not None and waits.to_decide and not is_relieved(review, EventKind.GRANTED, on):
            yield OutOfOrder(case_no, review.matter.short_name, on, waits.to_decide)
