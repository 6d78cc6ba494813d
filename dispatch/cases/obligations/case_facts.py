"""Case facts: what the obligations of cases are folded from, read for many cases in a few statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from dispatch.cases.case import NOT_ASKED_FOR, Case, CaseEvent, Material, MaterialState
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote
from dispatch.cases.evaluation import Evaluation, Rectification
from dispatch.cases.obligations.obligation import Owner, OwnerKind
from dispatch.cases.project import Project, ProjectMember, Referral, TeamRole
from dispatch.cases.review import Review, ReviewPause
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.matter import MaterialMode
from dispatch.core.working_days import Calendar
from dispatch.custody.parcel import Parcel, ParcelState
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop

ON_PAPER = (MaterialMode.ORIGINAL_RETURNED, MaterialMode.ORIGINAL_KEPT)


@dataclass(frozen=True, slots=True)
class StageSpell:
    """A stage of the case and since when it stands in it."""

    stage: Stage
    since: datetime


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case and what belongs to it, as rows; ``spells``: its stages in their order."""

    case: Row[Any]
    agent_id: int | None
    spells: Sequence[StageSpell]
    reviews: Sequence[Row[Any]]
    pauses: Mapping[int, Row[Any]]
    """By review, the latest special procedure."""
    materials: Sequence[Row[Any]]
    parcels: Sequence[Row[Any]]
    rectifications: Sequence[Row[Any]]
    referrals: Sequence[Row[Any]]
    follow_ups: Sequence[Row[Any]]
    messages: Sequence[Row[Any]]
    calendar: Calendar

    @property
    def has_ended(self) -> bool:
        return self.case.stage in ENDS

    @property
    def ended_at(self) -> datetime:
        return self.case.ended_at or self.case.stage_at  # type: ignore[no-any-return]

    @property
    def team(self) -> Owner:
        return Owner(OwnerKind.TEAM, self.case.home_division_id)

    @property
    def agent(self) -> Owner:
        """Who acts for the case; its team while nobody does."""
        return self.team if self.agent_id is None else Owner(OwnerKind.PERSON, self.agent_id)

    @property
    def enterprise(self) -> Owner:
        return Owner(OwnerKind.ENTERPRISE, self.case.enterprise_id)

    def entered(self, *stages: Stage) -> datetime | None:
        """Since when the case stands in these stages, or stood in them the last time; None: it never did."""
        since = None
        for earlier, spell in zip([None, *self.spells], self.spells, strict=False):
            if spell.stage in stages and (earlier is None or earlier.stage not in stages):
                since = spell.since
        return since

    def left(self, *stages: Stage) -> StageSpell | None:
        """What followed on these stages the last time; None while the case stands in one, or where it never did."""
        following = None
        for spell, later in pairwise(self.spells):
            if spell.stage in stages and later.stage not in stages:
                following = later
        return None if self.case.stage in stages else following


def case_facts(
    session: Session, case_ids: Collection[int], calendar: Calendar, *, lock: bool = True
) -> list[CaseFacts]:
    """The facts of these cases. ``lock``: whoever changes one of them at the same time folds after this."""
    query: Any = (
        select(
            Case.id, Case.project_id, Case.stage, Case.stage_at, Case.created_at, Case.ended_at, Case.pickup_way,
            Case.answer_by, Case.prescreen_by, Case.delivered_at, Case.close_by,
            Project.home_division_id, Project.enterprise_id,
        )
        .join(Project, Project.id == Case.project_id)
        .where(Case.id.in_(case_ids)).order_by(Case.id)
    )  # fmt: skip
    # Not FOR UPDATE: who wrote a row that names the case holds its key, and two of them would wait for each other.
    cases = session.execute(query.with_for_update(of=Case, key_share=True) if lock else query).all()
    projects = {case.project_id for case in cases}
    leads, given = _leads(session, projects)
    events = _by_case(
        session.execute(
            select(CaseEvent.case_id, CaseEvent.stage, CaseEvent.at)
            .where(CaseEvent.case_id.in_(case_ids))
            .order_by(CaseEvent.id)
        )
    )
    reviews = _by_case(session.execute(_reviews(case_ids)))
    pauses = {row.review_id: row for row in session.execute(_pauses(case_ids))}
    materials, parcels = _by_case(session.execute(_materials(case_ids))), _by_case(session.execute(_parcels(case_ids)))
    rectifications = _by_case(session.execute(_rectifications(case_ids)))
    referrals = _referrals(session, projects)
    follow_ups = _by_case(session.execute(_follow_ups(case_ids)))
    messages = _by_case(session.execute(_messages(case_ids)))
    return [
        CaseFacts(
            case, leads.get(case.project_id), _spells(case, events[case.id], given), reviews[case.id],
            {row.id: pauses[row.id] for row in reviews[case.id] if row.id in pauses}, materials[case.id],
            parcels[case.id], rectifications[case.id], referrals.get(case.id, ()), follow_ups[case.id],
            messages[case.id], calendar,
        )
        for case in cases
    ]  # fmt: skip


def _reviews(case_ids: Collection[int]) -> Any:
    columns = (
        Review.id, Review.case_id, Review.state, Review.authority, Review.authority_division_id, Review.filed_at,
        Review.correction_due_at, Review.correction_asked_at, Review.accepted_at, Review.committed_due_at,
        Review.decided_at, Review.deliver_by, Review.verify_by, Review.verified_at, Review.revoked_at,
    )  # fmt: skip
    return select(*columns).where(Review.case_id.in_(case_ids)).order_by(Review.id)


def _pauses(case_ids: Collection[int]) -> Any:
    columns = (ReviewPause.review_id, ReviewPause.starts_on, ReviewPause.expected_end_on, ReviewPause.ended_on)
    of_cases = select(*columns).join(Review, Review.id == ReviewPause.review_id).where(Review.case_id.in_(case_ids))
    return of_cases.order_by(ReviewPause.id)


def _materials(case_ids: Collection[int]) -> Any:
    return (
        select(Material.id, Material.case_id, Material.mode, Material.state, Material.owed_by, Material.supplied_at)
        .where(Material.case_id.in_(case_ids), or_(Material.owed_by.is_not(None), Material.mode.in_(ON_PAPER)))
        .where(Material.state.not_in((MaterialState.HELD, *NOT_ASKED_FOR)))
        .order_by(Material.id)
    )


def _parcels(case_ids: Collection[int]) -> Any:
    columns = (
        Parcel.id, Parcel.case_id, Parcel.leg, Parcel.state, Parcel.created_at, Parcel.moved_at,
        CourierStop.on, CourierStop.windows, CourierRun.courier_id,
    )  # fmt: skip
    return (
        select(*columns)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .outerjoin(CourierRun, CourierRun.id == CourierStop.run_id)
        .where(Parcel.case_id.in_(case_ids), Parcel.state != ParcelState.CANCELLED)
        .order_by(Parcel.id)
    )


def _rectifications(case_ids: Collection[int]) -> Any:
    columns = (
        Rectification.id, Evaluation.case_id, Rectification.state, Rectification.opened_at, Rectification.verify_by,
        Rectification.rectify_by, Rectification.verified_at, Rectification.answered_at,
    )  # fmt: skip
    return (
        select(*columns)
        .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .where(Evaluation.case_id.in_(case_ids))
        .order_by(Rectification.id)
    )


def _follow_ups(case_ids: Collection[int]) -> Any:
    columns = (
        ContactNote.id, ContactNote.case_id, ContactNote.recorded_at, ContactNote.follow_up_on, ContactNote.followed_at,
    )  # fmt: skip
    stands = ContactNote.follow_up_on.is_not(None), ContactNote.replaced_at.is_(None)
    left = select(*columns).where(ContactNote.case_id.in_(case_ids), *stands)
    return left.order_by(ContactNote.id)


def _messages(case_ids: Collection[int]) -> Any:
    columns = (
        CaseMessage.id, CaseMessage.case_id, CaseMessage.is_theirs, CaseMessage.written_at, CaseMessage.withdrawn_at,
        CaseMessage.settled_at,
    )  # fmt: skip
    return select(*columns).where(CaseMessage.case_id.in_(case_ids)).order_by(CaseMessage.id)


def _referrals(session: Session, projects: Collection[int]) -> dict[int, list[Row[Any]]]:
    """The offers of a project, with its latest case."""
    latest = (
        select(Case.id)
        .where(Case.project_id == Referral.project_id)
        .order_by(Case.id.desc())
        .limit(1)
        .correlate(Referral)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            latest.label("case_id"), Referral.id, Referral.to_agent_id, Referral.offered_at, Referral.accept_by,
            Referral.accepted_at, Referral.declined_at, Referral.escalated_at,
        )
        .where(Referral.project_id.in_(projects), Referral.offered_at.is_not(None))
        .order_by(Referral.id)
    )  # fmt: skip
    return _by_case(rows)


def _by_case(rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.case_id].append(row)
    return found


Given = Mapping[tuple[int, datetime], datetime]
"""By project and moment of writing down, since when the lead agent truly acts that was given then."""


def _leads(session: Session, projects: Collection[int]) -> tuple[dict[int, int], Given]:
    """Who leads each project now, and when each lead that stands was written down first and truly began.

    Also of projects that were merged into them: their cases go on there. Of one moment the kept one's counts."""
    kept_id = func.coalesce(Project.merged_into_id, Project.id)
    query = (
        select(
            ProjectMember.id, kept_id.label("project_id"), ProjectMember.agent_id, ProjectMember.since,
            ProjectMember.until, ProjectMember.recorded_at, ProjectMember.corrects, ProjectMember.replaced_at,
        )
        .join(Project, Project.id == ProjectMember.project_id)
        .where(
            or_(Project.id.in_(projects), Project.merged_into_id.in_(projects)), ProjectMember.role == TeamRole.LEAD
        )
        .order_by(Project.merged_into_id.nulls_last(), ProjectMember.id)
    )  # fmt: skip
    leads: dict[int, int] = {}
    first: dict[int, datetime] = {}
    given: dict[tuple[int, datetime], datetime] = {}
    for row in session.execute(query):
        first[row.id] = row.recorded_at if row.corrects is None else first[row.corrects]
        if row.until is None:
            leads[row.project_id] = row.agent_id
        if row.replaced_at is None:
            given[row.project_id, first[row.id]] = row.since
    return leads, given


def _spells(case: Row[Any], events: Iterable[Row[Any]], given: Given) -> list[StageSpell]:
    """Where the case stood since when: its first stage since it was filed, then whatever the timeline tells.

    What waited for its agent has one since the agent acts, however late that was written down. An end that was taken
    back never was."""
    spells: list[StageSpell] = []
    for stage, at in [*((event.stage, event.at) for event in events), (case.stage, case.stage_at)]:
        if len(spells) > 1 and spells[-1].stage is Stage.WITHDRAWN is not stage:
            spells.pop()
        before = spells[-1].stage if spells else Stage.REQUESTED
        if not spells or before is not stage:
            waited = stage is Stage.ASSIGNED and before is Stage.REQUESTED
            since = max(case.created_at, given.get((case.project_id, at), at)) if waited else at
            spells.append(StageSpell(stage, since))
    return spells
