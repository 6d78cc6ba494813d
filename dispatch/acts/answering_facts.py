"""Answering facts: what decides a project's matters and papers is answered; its path, limits and papers follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.correcting_matters import ASKS, settle_materials
from dispatch.acts.deriving import derive_reviews, take_limits
from dispatch.cases.lookups import open_cases, reviews_of
from dispatch.cases.notify import add_timeline_event
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.project_path import facts_of_project
from dispatch.cases.review import Review
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import ProjectNo
from dispatch.core.localized_text import LocalizedText
from dispatch.path.fact_table import fact_table
from dispatch.path.facts import facts_of

FACTS_ANSWERED = LocalizedText("项目情况更新")


@dataclass(frozen=True, slots=True)
class AnsweredFacts:
    """A project after an answer: its number, what is still only assumed, and its version."""

    project_no: str
    assumed: tuple[str, ...]
    version: int


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """Facts of the project by their keys: a choice, true or false, or a number; null takes an answer back.

    Which matters apply, their limits, and the papers of cases that still gather them follow at once."""

    project: ProjectNo
    version: int | None = None
    facts: Mapping[str, Any]

    def perform(self, context: ActContext) -> AnsweredFacts:
        session, project = context.session, context.row(Project, self.project)
        if project.state is ProjectState.CLOSED:
            raise WrongStage(f"project {project.project_no} is closed", user_message="项目已结束，不能再改项目情况")
        before = facts_of_project(project)
        answers = {key: one for key, one in {**project.facts, **self.facts}.items() if one is not None}
        check_answers(self.facts, family=project.family.value)
        changed = [key for key, one in facts_of(answers).values.items() if one != before[key]]
        project.facts = answers
        project.version += 1
        project.changed_by = context.actor.label
        session.flush()
        if changed:
            _follow(context, project)
        now, table = facts_of_project(project), fact_table()
        assumed = [key for key in now.asked if key in now.assumed and project.family.value in table[key].families]
        return AnsweredFacts(project.project_no, tuple(assumed), project.version)


def check_answers(given: Mapping[str, Any], *, family: str) -> None:
    """Every fact is one of the family's, every answer one that it may have. Raises Refused."""
    for key, answer in given.items():
        fact = fact_table().get(key)
        if fact is None or family not in fact.families or not fact.is_asked_of_people:
            raise Refused(f"{family} is not asked {key}", user_message="没有这个问题", field="facts")
        if answer is None:
            continue
        try:
            facts_of({key: answer})
        except ValueError as error:
            raise Refused(str(error), user_message="回答有误，请重新填写", field="facts") from error


def _follow(context: ActContext, project: Project) -> None:
    """Limits of what is undecided, papers of what still gathers them, and the expected dates."""
    session = context.session
    cases = open_cases(session, project)
    for case in cases:
        if case.stage in ASKS:
            settle_materials(context, case, [r.matter for r in reviews_of(session, case)], reason=FACTS_ANSWERED)
        add_timeline_event(
            session, case, kind="facts_answered", by=context.actor, at=context.at,
            words=LocalizedText("项目情况已更新，时限和材料随之调整"),
        )  # fmt: skip
        case.version += 1
        case.changed_by = context.actor.label
        case.look_anew()
    session.flush()
    ids = list(session.scalars(select(Review.id).where(Review.case_id.in_([case.id for case in cases]))))
    take_limits(context, ids)
    derive_reviews(context, ids, reason=FACTS_ANSWERED)
