"""The page of one case: six answers first, then its matters, papers, originals, legs and timeline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.booking import awaits_delivery, awaits_pickup
from dispatch.cases.access_control import case_for
from dispatch.cases.case import OUTCOME_LABEL, Case, MaterialState, Way
from dispatch.cases.matter_on_project import MatterOnProject
from dispatch.cases.project_path import ProjectPath, cut_to, project_path
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import LABEL, NEXT, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText, Translate, from_json
from dispatch.core.shanghai_time import in_shanghai
from dispatch.custody.parcel import Leg, ParcelState
from dispatch.views.case_matters import MatterRow, matter_rows
from dispatch.views.case_messages import CaseConversation, conversation_of
from dispatch.views.case_milestones import Milestone, milestones
from dispatch.views.case_next_step import next_step
from dispatch.views.case_time_limits import ThreeLines, three_lines
from dispatch.views.enterprise_agent import Helper, helper_of
from dispatch.views.enterprise_letters import DelegationLetterView, letters_of
from dispatch.views.enterprise_papers import LegRow, Original, PaperRow, legs_of, originals_of, papers_of
from dispatch.views.enterprise_path import DrawnPath, drawn_path
from dispatch.views.enterprise_projects import place_in_words
from dispatch.views.enterprise_turns import Turn, turn_of
from dispatch.views.loading import CASE_PARTS, REVIEW_PARTS


@dataclass(frozen=True, slots=True)
class Charge:
    """A statutory fee: what the law asks, on which basis, of whom. Never for the proxy service."""

    matter: str
    cents: int | None
    basis: str
    payer: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the timeline."""

    at: datetime
    words: str
    actor: str
    is_corrected: bool = False


@dataclass(frozen=True, slots=True)
class EnterpriseCasePage:
    """Everything the page of a case shows."""

    id: int
    case_no: str
    project_no: str
    project_name: str
    place: str
    site_address: str
    site_point: tuple[float, float] | None
    stage: Stage
    label: str
    stage_at: datetime
    created_at: datetime
    version: int
    query_code: str
    ended: bool
    outcome: str | None
    is_denied: bool
    ending_reason: str | None
    milestones: tuple[Milestone, ...]
    turn: Turn
    next_words: LocalizedText
    next_by: datetime | None
    helper: Helper | None
    promise: ThreeLines
    matters: tuple[MatterRow, ...]
    charges: tuple[Charge, ...]
    originals: tuple[Original, ...]
    legs: tuple[LegRow, ...]
    papers: tuple[PaperRow, ...]
    timeline: tuple[TimelineLine, ...]
    messages: CaseConversation
    letter: DelegationLetterView | None
    path: DrawnPath | None
    can_withdraw: bool
    can_book_pickup: bool
    can_book_delivery: bool
    pickup_way: Way
    delivery_way: Way

    @property
    def to_upload(self) -> int:
        return sum(paper.is_wanted for paper in self.papers)

    @property
    def defects(self) -> int:
        return sum(paper.state == MaterialState.DEFECTIVE for paper in self.papers)


def case_page(
    session: Session, viewer: Actor, case_no: str, *, at: datetime, say: Translate = str
) -> EnterpriseCasePage:
    """The case as its enterprise sees it. Raises NotFound."""
    case = case_for(session, viewer, case_no, loaded=CASE_PARTS)
    project, today = case.project, in_shanghai(at).date()
    found, calendar = _reviews_of(session, case), calendar_of(session)
    whole = project_path(session, project, at=at)
    legs = legs_of(session, case)
    letters = letters_of(session, project, today)
    letter = next((one for one in letters if one.in_force), None)
    helper = helper_of(session, project, at=at)
    path = _path_of(session, case, found, whole, at=at, say=say)
    live = [leg for leg, _ in legs if leg.state is not ParcelState.CANCELLED]
    pickups = [parcel for parcel in live if parcel.leg is not Leg.DELIVERY]
    deliveries = [parcel for parcel in live if parcel.leg is Leg.DELIVERY]
    papers = papers_of(session, case, {review.matter_id: review.matter.short_name for review in found})
    turn = turn_of(
        case.stage, pickup=case.pickup_way, delivery=case.delivery_way, wanted=sum(p.is_wanted for p in papers),
        has_letter=letter is not None, pickups=len(pickups), deliveries=len(deliveries),
    )  # fmt: skip
    rows = tuple(row for _, row in legs)
    step = next_step(case, turn, found, rows, helper)
    return EnterpriseCasePage(
        id=case.id,
        case_no=case.case_no,
        project_no=project.project_no,
        project_name=project.name,
        place=place_in_words(session, project.division_id),
        site_address=project.site_address or "",
        site_point=None
        if project.site_lon is None or project.site_lat is None
        else (project.site_lon, project.site_lat),
        stage=case.stage,
        label=LABEL[case.stage],
        stage_at=case.stage_at,
        created_at=case.created_at,
        version=case.version,
        query_code=case.query_code,
        ended=case.has_ended,
        outcome=None if case.outcome is None else OUTCOME_LABEL[case.outcome],
        is_denied=any(review.state is ReviewState.DENIED for review in found),
        ending_reason=case.ending_reason,
        milestones=milestones(case),
        turn=turn,
        next_words=step.words,
        next_by=step.by,
        helper=helper,
        promise=three_lines(session, case, path, today),
        matters=matter_rows(session, case, found, whole, calendar, at),
        charges=_charges(found, {} if whole is None else whole.matters),
        originals=originals_of(case, legs, session),
        legs=rows,
        papers=papers,
        timeline=_timeline(case, found),
        messages=conversation_of(viewer, case, calendar),
        letter=letter,
        path=path,
        can_withdraw=Stage.WITHDRAWN in NEXT[case.stage],
        can_book_pickup=awaits_pickup(case, live),
        can_book_delivery=awaits_delivery(case, live),
        pickup_way=case.pickup_way,
        delivery_way=case.delivery_way,
    )


def _path_of(
    session: Session, case: Case, reviews: Sequence[Review], whole: ProjectPath | None, *, at: datetime, say: Translate
) -> DrawnPath | None:
    """The project's path as far as the case goes; nothing where every matter was withdrawn."""
    codes = {review.matter.code for review in reviews if review.state is not ReviewState.WITHDRAWN}
    if not codes or whole is None:
        return None
    return drawn_path(session, case.project, at=at, whole=cut_to(whole, codes, _begins(case, reviews)), say=say)


def _reviews_of(session: Session, case: Case) -> list[Review]:
    """The case's reviews with all that the page shows of them."""
    query = select(Review).where(Review.case_id == case.id).order_by(Review.id)
    return list(session.scalars(query.options(*REVIEW_PARTS)).unique())


def _timeline(case: Case, reviews: Iterable[Review]) -> tuple[TimelineLine, ...]:
    """What happened, the newest first, without what the team keeps to itself."""
    corrected = {event.corrects for review in reviews for event in review.events} - {None}
    return tuple(
        TimelineLine(
            event.at,
            from_json(event.words, event.detail),
            event.actor,
            is_corrected=event.detail.get("event_id") in corrected,
        )
        for event in reversed(case.events)
        if not event.internal
    )


def _begins(case: Case, found: Sequence[Review]) -> date:
    """From when the case's path counts: its filing with the authorities, else its request."""
    filed = [review.filed_at for review in found if review.filed_at is not None]
    return in_shanghai(min(filed, default=case.created_at)).date()


def _charges(found: Iterable[Review], matters: Mapping[str, MatterOnProject]) -> tuple[Charge, ...]:
    mine = [matters[review.matter.code] for review in found if review.matter.code in matters]
    return tuple(
        Charge(matter.short, matter.legal_fee_cents, matter.fee_basis, matter.fee_payer)
        for matter in mine
        if matter.legal_fee_cents or matter.fee_basis
    )
