"""Case steps: which steps of its script bring a demo project to its goal."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from web.demo.case_plans import CasePlan, Goal
from web.demo.case_script import CaseScript
from web.demo.context import DemoContext

Step = Callable[[CaseScript], None]

PRESCREENED: tuple[Step, ...] = (CaseScript.delegate, CaseScript.prescreen)
COLLECTED: tuple[Step, ...] = (*PRESCREENED, CaseScript.bring_papers)
SUBMITTED: tuple[Step, ...] = (*COLLECTED, CaseScript.submit)
ACCEPTED: tuple[Step, ...] = (*SUBMITTED, CaseScript.accept)
DECIDED: tuple[Step, ...] = (*ACCEPTED, CaseScript.decide)
DELIVERED: tuple[Step, ...] = (*DECIDED, CaseScript.deliver)

# After the request and the assignment.
STEPS: Mapping[Goal, tuple[Step, ...]] = MappingProxyType(
    {
        Goal.ASSIGNED: (),
        Goal.REFUSED: (CaseScript.refuse,),
        Goal.CORRECTION: (CaseScript.delegate, CaseScript.ask_correction),
        Goal.PRESCREENED: PRESCREENED,
        Goal.BOOKED_TODAY: (*PRESCREENED, CaseScript.book_today),
        Goal.COLLECTED: COLLECTED,
        Goal.WITHDRAWN: (*COLLECTED, CaseScript.withdraw),
        Goal.SUBMITTED: SUBMITTED,
        Goal.ACCEPTED: (*ACCEPTED, CaseScript.add_intermediary),
        Goal.DECIDED: DECIDED,
        Goal.DELIVERY_TODAY: (*DECIDED, CaseScript.book_delivery_today),
        Goal.DELIVERED: DELIVERED,
        Goal.EVALUATED: (*DELIVERED, CaseScript.evaluate),
    }
)


def carry_out(context: DemoContext, plan: CasePlan) -> None:
    """Walk one project as far as its plan says; no further than the request where no agent fits."""
    script = CaseScript(context, plan)
    if context.first_enterprise is None and plan.goal is Goal.BOOKED_TODAY:
        context.first_enterprise = script.enterprise
    if plan.goal is Goal.REQUESTED:
        return
    if plan.goal is Goal.NOBODY_FITS:
        script.find_nobody()
        return
    script.assign()
    for step in STEPS[plan.goal]:
        step(script)
