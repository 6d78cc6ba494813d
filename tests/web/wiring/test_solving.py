"""Workers: who does heavy jobs has the core ready before the first; who sends notices carries none."""

from web.wiring.plan_tasks import make_ready


def test_a_worker_for_heavy_jobs_is_ready_before_its_first():
    assert make_ready({"jobs", "celery"})
    assert not make_ready({"notices", "notices-urgent"})
