"""Project merge: the same project written down twice: what moves, what ends, and why it cannot be, changing nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.cases.case import Case, Material
from dispatch.cases.lookups import parcels_of, reviews_of
from dispatch.cases.project import Intermediary, Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.core.localized_text import ListText, LocalizedText


@dataclass(frozen=True, slots=True)
class MovedCase:
    """A case of the duplicate that goes on under the kept project, and the matters that leave it as asked for twice."""

    case_no: str
    version: int
    keeps: tuple[str, ...]
    drops: tuple[str, ...]

    @property
    def ends(self) -> bool:
        """Everything in it is asked for twice: it is withdrawn, and its papers come home."""
        return bool(self.drops) and not self.keeps


@dataclass(frozen=True, slots=True)
class MovedWork:
    """An intermediary's work of the duplicate, and the name it has then.

    ``is_joined``: both projects wrote the same work down, and one row tells of it."""

    name: str
    firm: str
    becomes: str
    is_joined: bool


@dataclass(frozen=True, slots=True)
class MovedLiaison:
    """A liaison of the duplicate: goes on for the kept project, or ends where that has its own at the counter."""

    agent: str
    counter: str
    goes_on: bool


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do. ``refusals``: why it cannot be; none of it is done then."""

    duplicate: str
    kept: str
    cases: tuple[MovedCase, ...]
    kept_cases: tuple[MovedCase, ...]
    papers: int
    parcels: int
    letters: int
    works: tuple[MovedWork, ...]
    liaisons: tuple[MovedLiaison, ...]
    refusals: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The same for the same merge from the same state."""
        read = (self.duplicate, self.kept, self.cases, self.kept_cases, self.works, self.liaisons)
        return sha256(repr(read).encode()).hexdigest()[:16]


GONE = frozenset({ReviewState.WITHDRAWN})
UNFILED = frozenset({ReviewState.PREPARED})


def preview_merge(session: Session, duplicate: Project, kept: Project) -> MergePreview:
    """What moves and what ends. Of two reviews of one matter the filed one stays, else the kept project's."""
    ours, theirs = _cases(session, kept), _cases(session, duplicate)
    mine, others = _of_matters(session, ours), _of_matters(session, theirs)
    twice = mine.keys() & others.keys()
    filed_twice = sorted(
        mine[code][0].matter.short_name for code in twice if _is_fixed(mine[code]) and _is_fixed(others[code])
    )
    leave_ours = {code for code in twice if not _is_fixed(mine[code]) and _is_fixed(others[code])}
    leave_theirs = {code for code in twice - leave_ours if not _is_fixed(others[code])}
    return MergePreview(
        duplicate.project_no, kept.project_no,
        tuple(_moved(session, case, leave_theirs) for case in theirs),
        tuple(_moved(session, case, leave_ours) for case in ours),
        papers=len(list(session.scalars(select(Material.id).where(Material.case_id.in_([c.id for c in theirs]),
                                                                  Material.sha256.is_not(None))))),
        parcels=sum(parcel.is_out for case in theirs for parcel in parcels_of(session, case)),
        letters=sum(bool(letter.signed_at) and letter.revoked_at is None for letter in duplicate.delegations),
        works=tuple(_moved_work(work, duplicate, kept) for work in duplicate.intermediaries),
        liaisons=_liaisons(session, duplicate, kept),
        refusals=tuple(_refusals(duplicate, kept, filed_twice)),
    )  # fmt: skip


WORK_FACTS = ("matter_code", "firm", "promised_wd", "started_on", "ended_on", "fee_cents", "fee_payer")


def same_work(work: Intermediary, kept: Project) -> Intermediary | None:
    """The kept project's row of the same name, where nothing that both say differs."""
    for ours in kept.intermediaries:
        if ours.name == work.name:
            both = [(getattr(ours, fact), getattr(work, fact)) for fact in WORK_FACTS]
            return ours if all(one is None or other is None or one == other for one, other in both) else None
    return None


def _moved_work(work: Intermediary, duplicate: Project, kept: Project) -> MovedWork:
    is_joined = same_work(work, kept) is not None
    is_taken = not is_joined and any(ours.name == work.name for ours in kept.intermediaries)
    becomes = f"{work.name}（{duplicate.project_no}）" if is_taken else work.name
    return MovedWork(work.name, work.firm or "", becomes, is_joined)


def _liaisons(session: Session, duplicate: Project, kept: Project) -> tuple[MovedLiaison, ...]:
    theirs = {member.counter for member in kept.liaisons}
    rows = session.execute(
        select(Agent.name, ProjectMember.counter)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(
            ProjectMember.project_id == duplicate.id, ProjectMember.role == TeamRole.LIAISON,
            ProjectMember.until.is_(None),
        )
        .order_by(ProjectMember.id)
    )  # fmt: skip
    return tuple(MovedLiaison(row.name, row.counter, row.counter not in theirs) for row in rows)


def _refusals(duplicate: Project, kept: Project, filed_twice: list[str]) -> Iterable[str]:
    if duplicate.id == kept.id:
        yield LocalizedText("不能并入自身")
        return
    if duplicate.merged_into_id is not None or kept.merged_into_id is not None:
        yield LocalizedText("其中一个项目已并入其他项目")
    if duplicate.enterprise_id != kept.enterprise_id:
        yield LocalizedText("两个项目不是同一企业，请先更正企业")
    if duplicate.family is not kept.family:
        yield LocalizedText("两个项目类别不同，请先更正类别")
    if duplicate.home_division_id != kept.home_division_id:
        yield LocalizedText("两个项目不在同一区县，请先更正地点")
    if kept.state is ProjectState.CLOSED:
        yield LocalizedText("要并入的项目已结束，请并入在办的项目")
    if filed_twice:
        yield LocalizedText("两个项目都已开始办理同一事项，不能合并：%(names)s", names=ListText(filed_twice))


def _cases(session: Session, project: Project) -> list[Case]:
    return list(session.scalars(select(Case).where(Case.project_id == project.id).order_by(Case.id)))


def _of_matters(session: Session, cases: Iterable[Case]) -> dict[str, list[Review]]:
    """The reviews of each matter, the withdrawn aside."""
    found: dict[str, list[Review]] = {}
    for case in cases:
        for review in reviews_of(session, case):
            if review.state not in GONE and (not case.has_ended or review.filed_at is not None):
                found.setdefault(review.matter.code, []).append(review)
    return found


def _is_fixed(reviews: list[Review]) -> bool:
    """One of them has happened already: it was filed, or drawn up in simulation."""
    return any(review.state not in UNFILED for review in reviews)


def _moved(session: Session, case: Case, leaving: set[str]) -> MovedCase:
    codes = [review.matter.code for review in reviews_of(session, case) if review.state not in GONE]
    drops = () if case.has_ended else tuple(code for code in codes if code in leaving)
    return MovedCase(case.case_no, case.version, tuple(code for code in codes if code not in drops), drops)
