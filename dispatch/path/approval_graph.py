"""Approval graph: a project's own matters, and what waits for what. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dispatch.path.area_effects import AreaUse
from dispatch.path.edits import Edit, apply_edit, remove_step
from dispatch.path.errors import PathError, UnknownMatter
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting, PathStep
from dispatch.path.step_order import in_order


@dataclass(frozen=True, slots=True)
class Path:
    """Steps in an order in which each comes after everything it waits for. A Path that exists has no cycle."""

    steps: tuple[PathStep, ...]
    area_uses: tuple[AreaUse, ...] = ()
    edits: tuple[Edit, ...] = ()  # the lead's, as they stand in this path
    unmet: tuple[tuple[Edit, PathError], ...] = ()  # those that fit no longer, and why

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(step.code for step in self.steps)

    def step(self, code: str) -> PathStep:
        for step in self.steps:
            if step.code == code:
                return step
        raise UnknownMatter(f"{code} is not in this path")

    @property
    def goals(self) -> tuple[str, ...]:
        """What the 3/5/50 target ends with: the counted matters that are not merely due before works start."""
        return tuple(s.code for s in self.steps if s.matter.works_against_target and not s.matter.before_works_only)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Joint groups (联合审) with more than one member here, in path order."""
        members: dict[str, list[str]] = {}
        for step in self.steps:
            if step.matter.joint_group:
                members.setdefault(step.matter.joint_group, []).append(step.code)
        return {group: tuple(codes) for group, codes in members.items() if len(codes) > 1}

    def edited(self, *edits: Edit) -> Path:
        """The path after the lead's edits, or an error that names the edit's fault; nothing is half applied."""
        steps = {step.code: step for step in self.steps}
        for edit in edits:
            apply_edit(steps, edit)
        return replace(self, steps=in_order(steps), edits=(*self.edits, *edits))

    def with_what_fits(self, edits: Iterable[Edit]) -> Path:
        """The path after earlier edits, one by one: one that the facts have overtaken is left out and named."""
        path = self
        for edit in edits:
            try:
                path = path.edited(edit)
            except PathError as error:
                path = replace(path, unmet=(*path.unmet, (edit, error)))
        return path

    def just(self, codes: Iterable[str]) -> Path:
        """Only these matters; waits pass through those that go."""
        wanted = set(codes)
        steps = {step.code: step for step in self.steps}
        for code in [code for code in steps if code not in wanted]:
            remove_step(steps, code)
        return replace(self, steps=in_order(steps))

    def in_series_wd(self, basis: Basis) -> int:
        """What the counted matters would take one after another."""
        return sum(step.days(basis, Counting.TARGET) for step in self.steps)
