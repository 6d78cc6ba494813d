"""Project corrections: what all of them do: a line that stays, a line on each open case, one notice, dates anew."""

from dataclasses import dataclass

from dispatch.acts.act import ActContext
from dispatch.cases.case import Case
from dispatch.cases.lookups import lead_agent, open_cases
from dispatch.cases.notify import add_timeline_event, queue_notice
from dispatch.cases.project import Project
from dispatch.cases.project_correction import PART_LABEL, ProjectCorrection, ProjectPart
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText


@dataclass(frozen=True, slots=True)
class CorrectedProject:
    """A project after a correction: its number, what was put right, and its version."""

    project_no: str
    part: ProjectPart
    version: int


@dataclass(frozen=True, slots=True)
class PartChange:
    """What of a project was wrong and what it is, in words for people, with the reason."""

    part: ProjectPart
    was: str
    now: str
    reason: str


def keep_correction(
    context: ActContext, project: Project, change: PartChange, *, is_told: bool = True
) -> CorrectedProject:
    """The correction is kept, each open case says it and is looked at anew, and the contact is told once.

    ``is_told``: False where the step itself tells whom it concerns. Raises Refused where nothing is corrected."""
    if change.was == change.now:
        raise Refused(f"{change.part} stays as it was", user_message="没有填写要更正的内容")
    session, actor = context.session, context.actor
    row = ProjectCorrection(
        project_id=project.id, part=change.part, was=change.was, now=change.now, reason=change.reason.strip(),
        recorded_at=context.at, recorded_by=actor.label, account_id=actor.account_id,
    )  # fmt: skip
    session.add(row)
    project.version += 1
    project.changed_by = actor.label
    session.flush()
    cases = open_cases(session, project)
    for case in cases:
        _add_line(context, case, change, row)
        case.look_anew()
    if is_told and cases:
        _tell(context, cases[0], change, row)
    session.flush()
    return CorrectedProject(project.project_no, change.part, project.version)


def _add_line(context: ActContext, case: Case, change: PartChange, row: ProjectCorrection) -> None:
    words = LocalizedText(
        "更正：%(part)s此前登记为“%(was)s”，现为“%(now)s”（%(reason)s）", part=LocalizedText(PART_LABEL[change.part]),
        was=change.was, now=change.now, reason=change.reason.strip(),
    )  # fmt: skip
    add_timeline_event(
        context.session, case, kind="record_corrected", by=context.actor, at=context.at, words=words,
        project_correction=row.id,
    )  # fmt: skip


def _tell(context: ActContext, case: Case, change: PartChange, row: ProjectCorrection) -> None:
    agent = lead_agent(context.session, case, context.at)
    queue_notice(
        context.session, case, "project_corrected", at=context.at, key=f"project:{row.id}",
        values={"matter": LocalizedText(PART_LABEL[change.part]), "agent": agent.name if agent else ""},
    )  # fmt: skip
