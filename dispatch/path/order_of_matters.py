"""Order of matters: what is to be granted before a matter is filed, and before it is granted itself. Pure."""

from __future__ import annotations

from dispatch.path.approval_graph import Path
from dispatch.path.matter_node import MatterNode
from dispatch.path.path_step import WaitLink


def waits_before_filing(path: Path, code: str) -> tuple[str, ...]:
    """What must be granted first. Matters of one form or of one chain are filed together."""
    step = path.step(code)
    return tuple(
        wait.on
        for wait in step.waits
        if wait.link is WaitLink.START and not is_filed_together(step.matter, path.step(wait.on).matter)
    )


def waits_before_decision(path: Path, code: str) -> tuple[str, ...]:
    """What must be granted first: whatever the matter waits for."""
    return tuple(wait.on for wait in path.step(code).waits)


def is_filed_together(one: MatterNode, other: MatterNode) -> bool:
    """Both stand on one form (联合审), or are steps under one limit."""
    return bool(one.joint_group and one.joint_group == other.joint_group) or bool(
        one.limit_chain and one.limit_chain == other.limit_chain
    )
