"""Edits: what a lead changes in a path, and what each does to its steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

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
    if not edit.reason.strip():
        raise PathError("an edit of the path needs its reason")
    if isinstance(edit, AddMatter):
        if edit.matter.code in steps:
            raise PathError(f"{edit.matter.code} is already in the path")
        unknown = [on for on in edit.matter.prerequisites if on not in steps]
        if unknown:
            raise UnknownMatter(f"{edit.matter.code} waits for {', '.join(unknown)}, not in this path")
        waits = tuple(Wait(on) for on in edit.matter.prerequisites)
        steps[edit.matter.code] = PathStep(edit.matter, waits, reason=edit.reason)
        return
    if edit.code not in steps:
        raise UnknownMatter(f"{edit.code} is not in this path")
    step = steps[edit.code]
    waits_on = {wait.on for wait in step.waits}
    if isinstance(edit, DropMatter):
        remove_step(steps, edit.code, edit.reason)
        return
    if isinstance(edit, SetDays):
        most = step.matter.statutory_days
        if step.matter.whose is ClockOf.NOT_COUNTED:
            raise BadDays(f"{edit.code} lasts its legal minimum, nobody's agreement makes it shorter")
        if edit.days < 1 or (step.matter.whose is ClockOf.AUTHORITY and 0 < most < edit.days):
            raise BadDays(f"{edit.code}: {edit.days} working days are not within 1 and the statute's {most}")
        steps[edit.code] = replace(step, own_days=edit.days, reason=edit.reason)
        return
    if isinstance(edit, Grant) and edit.relief is Relief.COMMITMENT:
        steps[edit.code] = replace(step, by_commitment=True, reason=edit.reason)
        return
    if edit.on not in steps:
        raise UnknownMatter(f"{edit.on or 'the prerequisite'} is not in this path")
    if isinstance(edit, AddWait):
        if edit.on not in waits_on:
            steps[edit.code] = replace(step, waits=(*step.waits, Wait(edit.on, why=edit.reason)))
        return
    if edit.on not in waits_on:
        raise UnknownMatter(f"{edit.code} does not wait for {edit.on}")
    if isinstance(edit, DropWait):
        steps[edit.code] = replace(step, waits=tuple(wait for wait in step.waits if wait.on != edit.on))
    else:
        eased = Wait(edit.on, WaitLink.DECISION, edit.reason)
        steps[edit.code] = replace(step, waits=tuple(eased if w.on == edit.on else w for w in step.waits))


def remove_step(steps: dict[str, PathStep], code: str, why: str = "") -> None:
    """Without this matter; what waited for it waits for what it waited for."""
    gone = steps.pop(code)
    for other in list(steps.values()):
        if any(wait.on == code for wait in other.waits):
            kept = {wait.on: wait for wait in other.waits if wait.on != code}
            for wait in gone.waits:
                kept.setdefault(wait.on, replace(wait, why=why or wait.why))
            steps[other.code] = replace(other, waits=tuple(kept.values()))
