"""Forecasting: the clock looks anew at open cases, and learns once a day from what was decided."""

from dataclasses import dataclass

from dispatch.acts.act import ActContext, act
from dispatch.cases import duration_training, expected_dates


@act(is_routine=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class RenewForecasts:
    """These open cases get their expected date (预计办结) anew; how many. One that somebody works on is left alone."""

    case_ids: tuple[int, ...]

    def perform(self, context: ActContext) -> int:
        return expected_dates.renew_many(context.session, self.case_ids, at=context.at)


@dataclass(frozen=True, slots=True)
class LessonResult:
    """How many decided matters and judged promises were learned from."""

    matters: int
    promises: int


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class LearnDurations:
    """How long matters take, and how probabilities have to be read, learned once a day; None: today's stands."""

    def perform(self, context: ActContext) -> LessonResult | None:
        if duration_training.fitted_today(context.session, at=context.at):
            return None
        lesson = duration_training.fit_durations(context.session, at=context.at)
        context.touch(duration_training.FittedDurations, lesson.id)
        return LessonResult(lesson.matters, lesson.promises)
