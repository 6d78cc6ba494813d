"""Joint groups of a project as pages show them: who belongs together, what is filed on which form, what may be now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from dispatch.acts.filing import MAY_FILE
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project
from dispatch.cases.project_order import NOTHING_FIRST, OpenPrerequisites, is_relieved, prerequisites_on
from dispatch.cases.project_path import ProjectPath, facts_of_project
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventKind
from dispatch.cases.review_state import REVIEW_LABEL, UNFILED
from dispatch.core.limit import limit_words
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.path.joint_groups import matter_groups
from dispatch.path.matter_node import MatterNode
from dispatch.path.seven_lists import group_name

FEWEST = 2  # matters that a joint filing takes


@dataclass(frozen=True, slots=True)
class JointMatterLine:
    """One matter of a joint group; ``first``: what is to be granted before it may be filed."""

    code: str
    short: str
    case_no: str
    state: str
    first: tuple[str, ...]
    may_file: bool
    form_no: str


@dataclass(frozen=True, slots=True)
class JointGroupLine:
    """A joint group of the project with those of its matters that cases ask for; ``cap`` is empty where none is set."""

    key: str
    name: str
    cap: str
    matters: tuple[JointMatterLine, ...]

    @property
    def may_file(self) -> bool:
        """Whether there is enough of it to be filed together now."""
        return sum(line.may_file for line in self.matters) >= FEWEST


def joint_groups(
    session: Session, project: Project, mine: ProjectPath | None, cases: Iterable[Case], *, at: datetime
) -> tuple[JointGroupLine, ...]:
    """The groups of which the project's cases ask for two matters or more, in the order of the path."""
    if mine is None:
        return ()
    newest, by_id = dict(mine.reviews), {case.id: case for case in cases}
    nodes: dict[str, list[MatterNode]] = {}
    for step in mine.path.steps:
        if step.matter.joint_group in matter_groups() and step.code in newest:
            nodes.setdefault(step.matter.joint_group, []).append(step.matter)
    several = {key: found for key, found in nodes.items() if len(found) >= FEWEST}
    if not several:
        return ()
    ids = [newest[node.code].id for found in several.values() for node in found]
    session.scalars(select(Review).where(Review.id.in_(ids)).options(selectinload(Review.events))).all()
    waits, facts = prerequisites_on(mine), facts_of_project(project).values
    lines = []
    for key, found in several.items():
        cap = matter_groups()[key].cap(facts)
        words = "" if cap is None else LocalizedText("全组承诺%(limit)s", limit=limit_words(cap, none=""))
        matters = [_line(node, newest[node.code], by_id, waits, at) for node in found]
        lines.append(JointGroupLine(key, group_name(key), words, tuple(matters)))
    return tuple(lines)


def _line(
    node: MatterNode, review: Review, cases: Mapping[int, Case], waits: Mapping[str, OpenPrerequisites], at: datetime
) -> JointMatterLine:
    case = cases[review.case_id]
    first = waits.get(node.code, NOTHING_FIRST).to_file if review.state in UNFILED else ()
    is_its_turn = not first or is_relieved(review, EventKind.FILED, day_of(at))
    may_file = review.state in UNFILED and case.stage in MAY_FILE and is_its_turn
    return JointMatterLine(
        node.code, node.short, case.case_no, REVIEW_LABEL[review.state], () if is_its_turn else first, may_file,
        review.joint_no or "",
    )  # fmt: skip


def joint_words(review: Review) -> str:
    """On which form of its group the matter was filed, and by when the whole is promised; empty: by itself."""
    if review.joint_group is None:
        return ""
    form = LocalizedText(
        "%(group)s一表报送，表号%(number)s", group=group_name(review.joint_group), number=review.joint_no or ""
    )
    if review.joint_due_at is None:
        return form
    due = DayText(day_of(review.joint_due_at))
    return LocalizedText("%(form)s，全组承诺%(day)s前办结", form=form, day=due)
