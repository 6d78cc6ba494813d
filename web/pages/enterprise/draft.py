"""The draft of a request: what was typed so far, kept encrypted for the account until it is sent or thrown away."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from dispatch.cases.case import Material
from dispatch.cases.project import Delegation
from web.wiring import files

# The pages in their order; each keeps its answers under its own name.
STEPS = ("project", "site", "facts", "matters", "papers", "ways", "letter", "review")
KNOWN_BEFORE = frozenset({"project", "site", "facts"})


class IntakeDraft(db.Base):
    """A request that is being filled in (申请草稿). The files it names are kept as long as it is."""

    __tablename__ = "intake_draft"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    answers: Mapped[str] = mapped_column(db.EncryptedText)
    digests: Mapped[list[Any]]
    updated_at: Mapped[datetime]


files.names_files(IntakeDraft.digests, Material.sha256, Delegation.sha256)

Answers = dict[str, Any]


def read(session: Session, account_id: int, *, lock: bool = False) -> Answers | None:
    """The account's draft; None when there is none."""
    row = session.get(IntakeDraft, account_id, with_for_update=lock or None)
    return None if row is None else json.loads(row.answers)


def write(session: Session, account_id: int, answers: Answers) -> None:
    """Keep these answers."""
    row = session.get(IntakeDraft, account_id, with_for_update=True)
    digests = sorted(paper["sha256"] for paper in answers.get("files", {}).values())
    text = json.dumps(answers, ensure_ascii=False)
    if row is None:
        session.add(IntakeDraft(account_id=account_id, answers=text, digests=digests, updated_at=db.real_now(session)))
    else:
        row.answers, row.digests, row.updated_at = text, digests, db.real_now(session)
    session.flush()


def discard(session: Session, account_id: int) -> None:
    """The draft is sent, or not wanted any more."""
    if (row := session.get(IntakeDraft, account_id)) is not None:
        session.delete(row)
        session.flush()


def steps_of(answers: Answers) -> list[str]:
    """The pages that this request needs: a known project is not asked again what it is, nor for a letter in force."""
    needless = (KNOWN_BEFORE if answers.get("project_no") else frozenset()) | (
        {"letter"} if answers.get("has_letter") else frozenset()
    )
    return [step for step in STEPS if step not in needless]


def next_step(answers: Answers) -> str:
    """The first page that has no answer yet."""
    return next((step for step in steps_of(answers) if step not in answers), "review")


def may_open(answers: Answers, step: str) -> bool:
    """A page opens once every page before it has its answer."""
    steps = steps_of(answers)
    return step in steps and all(before in answers for before in steps[: steps.index(step)])
