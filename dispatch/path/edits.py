"""Edits: what a lead changes in a path, and what each does to its steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from dispatch.core.limit import LONGEST_DAYS, Limit
from dispatch.core.three_clocks import ClockOf
from dispatch.path.errors import BadDays, PathError, UnknownMatter
from dispatch.path.matter_node import MatterNode
from dispatch.path.path_step import PathStep, Wait, WaitLink


class Relief(StrEnum):
    """The three reliefs that are not the same."""

    DEFERRED = "deferred"  # 容缺受理: starts now; no decision before the paper is in
    COMMITMENT = "commitment"  # 告知承诺: decided at once, verified afterwards
    SIMULATED = "simulated"  # 模拟审批: a draft opinion, made formal when the prerequisite is there


@dataclass(frozen=True, slots=True)
class AddWait:
    """The matter waits for one more."""

    code: str
    on: str
    reason: str


@dataclass(frozen=True, slots=True)
class DropWait:
    """The matter no longer waits for that one: the lead says why."""

    code: str
    on: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddMatter:
    """A matter that the facts alone did not call for."""

    matter: MatterNode
    reason: str


@dataclass(frozen=True, slots=True)
class DropMatter:
    """A matter that this project does not need; what waited for it waits for its prerequisites instead."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A relief taken up: 容缺受理 or 模拟审批 of one prerequisite, or 告知承诺 of the whole matter."""

    code: str
    relief: Relief
    reason: str
    on: str = ""


@dataclass(frozen=True, slots=True)
class SetDays:
    """This project's own limit of a matter, as agreed with whoever handles it. The statute stays what it is."""

    code: str
    days: int
    reason: str


Edit = AddWait | DropWait | AddMatter | DropMatter | Grant | SetDays


def apply_edit(steps: dict[str, PathStep], edit: Edit) -> None:
    """Change ``steps`` as the lead says. Raises PathError, and changes nothing, when the edit does not fit them."""
    if not edit.reason.strip():
        raise PathError("an edit of the path needs its reason")
    if isinstance(edit, AddMatter):
        _add_matter(steps, edit)
        return
    if edit.code not in steps:
        raise UnknownMatter(f"{edit.code} is not in this path")
    step = steps[edit.code]
    if isinstance(edit, DropMatter):
        remove_step(steps, edit.code, edit.reason)
    elif isinstance(edit, SetDays):
        steps[edit.code] = _with_own_days(step, edit)
    elif isinstance(edit, Grant) and edit.relief is Relief.COMMITMENT:
        steps[edit.code] = replace(step, by_commitment=True, reason=edit.reason)
    else:
        if edit.on not in steps:
            raise UnknownMatter(f"{edit.on or 'the prerequisite'} is not in this path")
        steps[edit.code] = replace(step, waits=_edited_waits(step, edit))


def _add_matter(steps: dict[str, PathStep], edit: AddMatter) -> None:
    matter = edit.matter
    if matter.code in steps:
        raise PathError(f"{matter.code} is already in the path")
    if unknown := [on for on in matter.prerequisites if on not in steps]:
        raise UnknownMatter(f"{matter.code} waits for {', '.join(unknown)}, not in this path")
    steps[matter.code] = PathStep(matter, tuple(Wait(on) for on in matter.prerequisites), reason=edit.reason)


def _with_own_days(step: PathStep, edit: SetDays) -> PathStep:
    law = step.matter.statutory
    if step.matter.whose is ClockOf.NOT_COUNTED:
        raise BadDays(f"{edit.code} lasts its legal minimum, nobody's agreement makes it shorter")
    by_law = law if step.matter.whose is ClockOf.AUTHORITY else None
    if not 1 <= edit.days <= LONGEST_DAYS or (by_law is not None and Limit(edit.days).is_longer_than(by_law)):
        raise BadDays(f"{edit.code}: {edit.days} working days are not within 1 and {by_law or LONGEST_DAYS}")
    return replace(step, own_days=edit.days, reason=edit.reason)


def _edited_waits(step: PathStep, edit: AddWait | DropWait | Grant) -> tuple[Wait, ...]:
    waits_already = any(wait.on == edit.on for wait in step.waits)
    if isinstance(edit, AddWait):
        return step.waits if waits_already else (*step.waits, Wait(edit.on, why=edit.reason))
    if not waits_already:
        raise UnknownMatter(f"{edit.code} does not wait for {edit.on}")
    if isinstance(edit, DropWait):
        return tuple(wait for wait in step.waits if wait.on != edit.on)
    eased = Wait(edit.on, WaitLink.DECISION, edit.reason)
    return tuple(eased if wait.on == edit.on else wait for wait in step.waits)


def remove_step(steps: dict[str, PathStep], code: str, why: str = "") -> None:
    """Without this matter; what waited for it waits for what it waited for."""
    gone = steps.pop(code)
    for other in list(steps.values()):
        if any(wait.on == code for wait in other.waits):
            kept = {wait.on: wait for wait in other.waits if wait.on != code}
            late = any(wait.on == code and wait.link is WaitLink.DECISION for wait in other.waits)
            for wait in gone.waits:
                link = WaitLink.DECISION if late else wait.link  # who waits late for this waits late for those too
                known = kept.get(wait.on)
                if known is None or (known.link is WaitLink.DECISION and link is WaitLink.START):
                    kept[wait.on] = replace(wait, link=link, why=why or wait.why)
            steps[other.code] = replace(other, waits=tuple(kept.values()))
