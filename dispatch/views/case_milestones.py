"""The bar of a case: which steps are done, which is now, which are ahead."""

from dataclasses import dataclass

from dispatch.cases.case import Case, Way
from dispatch.cases.stages import LABEL, MILESTONES, Stage


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of the bar: done, now or ahead."""

    label: str
    state: str


def milestones(case: Case) -> tuple[Milestone, ...]:
    """The bar: steps that this case has no need of are left out."""
    at_stage: Stage = Stage.PRESCREENED if case.stage is Stage.CORRECTION else case.stage
    steps = [
        step
        for step in MILESTONES
        if not (step in {Stage.PICKUP_PLANNED, Stage.COLLECTED} and case.pickup_way is Way.ELECTRONIC)
        and not (step is Stage.PICKUP_PLANNED and case.pickup_way is Way.COUNTER)
        and not (step is Stage.DELIVERY_PLANNED and case.delivery_way is not Way.COURIER)
    ]
    if at_stage not in steps:
        if at_stage is Stage.CLOSED:
            return (*(Milestone(LABEL[step], "done") for step in steps[:-1]), Milestone(LABEL[Stage.CLOSED], "done"))
        if case.has_ended:
            return (Milestone(LABEL[Stage.REQUESTED], "done"), Milestone(LABEL[case.stage], "now"))
        before = MILESTONES[: MILESTONES.index(at_stage)]
        at_stage = next(step for step in reversed(steps) if step in before)
    place = steps.index(at_stage)
    is_last = at_stage is Stage.EVALUATED
    return tuple(
        Milestone(
            LABEL[case.stage] if n == place else LABEL[step],
            "done" if n < place or is_last else "now" if n == place else "ahead",
        )
        for n, step in enumerate(steps)
    )
