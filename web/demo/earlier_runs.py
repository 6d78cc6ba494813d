"""Earlier runs: what couriers drove before today, written down as it was; nobody plans a day that is over."""

from datetime import time

from dispatch.core.shanghai_time import utc
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import Courier
from routing.day.day_plan import PlanState
from routing.day.hours import Cutoff
from routing.day.plan_jobs import queue_plan
from web.demo.context import DemoContext

OPENS_S, CLOSES_S = 8 * 3600, 12 * 3600


def put_on_run(context: DemoContext, stop: CourierStop, courier: Courier) -> None:
    """The stop stands last on the courier's run of its day; the day's plan is there from its first stop on."""
    session, key = context.session, (stop.on, courier.id)
    if stop.on not in context.earlier_plans:
        plan = queue_plan(
            session, division_id=context.county.id, on=stop.on, cutoff=Cutoff.AM, limit_s=20, by="代办组长",
            at=utc(stop.on, time(7, 40)),
        )  # fmt: skip
        plan.state, plan.committed_at, plan.committed_by = PlanState.COMMITTED, plan.requested_at, plan.requested_by
        context.earlier_plans[stop.on] = plan
    if key not in context.earlier_runs:
        plan = context.earlier_plans[stop.on]
        run = CourierRun(plan_id=plan.id, courier_id=courier.id, on=stop.on, starts_s=OPENS_S, ends_s=CLOSES_S)
        session.add(run)
        session.flush()
        context.earlier_runs[key] = run
    run = context.earlier_runs[key]
    stop.move_to(StopState.PLANNED)
    stop.run_id, stop.position = run.id, 1 + sum(s.run_id == run.id for s in run.stops)
    session.flush()
    session.expire(run, ["stops"])
