"""Intake steps: what the eight pages of a request share: the draft and the bar of steps."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.pages.enterprise import draft
from web.wiring.auth import current_person
from web.wiring.transactions import transaction

TITLES = {
    "project": "办什么事", "site": "项目在哪里", "facts": "项目情况", "matters": "办哪些事项", "papers": "材料",
    "ways": "原件和结果怎么交接", "letter": "委托书", "review": "核对并提交",
}  # fmt: skip


def step_page(step: str, answers: draft.Answers, status: int = 200, **more: Any) -> tuple[str, int]:
    steps = draft.steps_of(answers)
    place = steps.index(step)
    bar = [(TITLES[s], url_for(f"enterprise.intake_{s}") if s in answers else "", s == step) for s in steps]
    back = url_for(f"enterprise.intake_{steps[place - 1]}") if place else url_for("enterprise.intake")
    return render_template(
        f"enterprise/intake_{step}.html", answers=answers, bar=bar, place=place + 1, of=len(steps), back=back, **more
    ), status


def draft_for(step: str) -> draft.Answers | AnyResponse:
    """The draft, or the way to the page that has to be answered first."""
    with transaction() as session:
        answers = draft.read(session, current_person().account_id)
    if answers is None:
        return redirect(url_for("enterprise.intake"))
    if not draft.may_open(answers, step):
        return redirect(url_for(f"enterprise.intake_{draft.next_step(answers)}"))
    return answers


def keep_answers(answers: draft.Answers, step: str) -> AnyResponse:
    """Keep the answers; on to the next page, or back to the review when it was reached before."""
    with transaction() as session:
        draft.write(session, current_person().account_id, answers)
    steps = draft.steps_of(answers)
    after = steps[min(steps.index(step) + 1, len(steps) - 1)]
    target = "review" if draft.next_step(answers) == "review" and request.form.get("then") == "review" else after
    return redirect(url_for(f"enterprise.intake_{target}"))
