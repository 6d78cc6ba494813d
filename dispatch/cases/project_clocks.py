"""Three clocks of a project (审批用时, 中介与企业用时, 不计时): its working days so far, by whose they were."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from dispatch.cases.project import Project
from dispatch.cases.project_path import ProjectPath, reviews_by_matter
from dispatch.core.three_clocks import ClockOf, Span, ThreeClocks, three_clocks


@dataclass(frozen=True, slots=True)
class ProjectClocks:
    """Working days after the request up to ``ended_on``, by whose they were; ``is_over`` once all goals are decided.

    A special procedure (特别程序) is nobody's time, as land listing is. Days of several authorities count once."""

    days: ThreeClocks
    ended_on: date
    is_over: bool


def clocks_so_far(session: Session, project: Project, mine: ProjectPath) -> ProjectClocks:
    """The clocks until today, or until the last goal of the 3/5/50 target was decided.

    Raises CalendarMissing for days in a year without a calendar."""
    goals = [code for code in mine.path.goals if mine.path.step(code).matter.whose is ClockOf.AUTHORITY]
    ends = [mine.progress[code].decided_on if code in mine.progress else None for code in goals]
    decided = [on for on in ends if on is not None]
    is_over = bool(ends) and len(decided) == len(ends)
    ended_on = max(decided) if is_over else mine.today
    paused = _paused(session, project, mine)
    spans: list[Span] = []
    for step in mine.path.steps:
        happened = mine.progress.get(step.code)
        if happened is not None and happened.accepted_on is not None:
            until = min(happened.decided_on or ended_on, ended_on)
            spans += _spans(step.matter.whose, happened.accepted_on, until, paused.get(step.code, ()))
    return ProjectClocks(three_clocks(mine.calendar, mine.start_on, ended_on, spans), ended_on, is_over)


def _paused(
    session: Session, project: Project, mine: ProjectPath
) -> Mapping[str, Sequence[tuple[date, date]]]:  # fmt: skip
    """First and last day of each special procedure, by matter."""
    return {
        code: [(p.starts_on, p.as_pause().stands_until(mine.calendar, mine.today)) for p in review.pauses]
        for code, review in reviews_by_matter(session, project)
        if review.pauses
    }


def _spans(whose: ClockOf, from_on: date, to_on: date, pauses: Sequence[tuple[date, date]]) -> Iterator[Span]:
    """One matter's days, without those on which a special procedure stood; these are nobody's."""
    for first, last in sorted(pauses):
        before, last = max(from_on, first - timedelta(days=1)), min(last, to_on)
        if last <= before:
            continue
        yield Span(whose, from_on, before)
        yield Span(ClockOf.NOT_COUNTED, before, last)
        from_on = last
    yield Span(whose, from_on, to_on)
