"""What can go wrong with a case: each error names the broken rule and brings the facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class DispatchError(Exception):
    """A rule of the case was broken; nothing was changed. ``words`` is for the person in front of the screen."""

    user_message = "操作未完成"

    def __init__(self, message: str, *, user_message: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.user_message = user_message or self.user_message
        self.facts = facts


class NotFound(DispatchError):
    """Absent, or not the viewer's: the two answer alike."""

    user_message = "没有找到，或您无权查看"


class WrongStage(DispatchError):
    """The step does not fit the stage that the case, project, review or parcel is in."""

    user_message = "当前阶段不能进行这一步"


class Stale(DispatchError):
    """Somebody else changed the row since it was read."""

    user_message = "刚刚有人修改过，请刷新后再试"


class Refused(DispatchError):
    """The rule says no: a missing proof, a wrong code, a person who may not receive."""

    user_message = "不符合办理规则"


class AlreadyHeld(Refused):
    """The papers are already where the scan says they go."""

    user_message = "该件已在此处，请勿重复扫描"


class NoCapacity(DispatchError):
    """No slot is free with this agent."""

    user_message = "该代办员的在办项目已满"


class BrokenChain(DispatchError):
    """The record of custody does not verify."""

    user_message = "交接记录校验未通过"


class CountedFailure(Refused):
    """A refusal that must be remembered, such as a wrong code: the step is undone, and the failure counted."""

    def count(self, session: Any) -> None:
        """Remember it, in a transaction in which the step itself was undone."""
        raise NotImplementedError


@contextmanager
def of_field(name: str) -> Iterator[None]:
    """What is refused within is said beside this field of the command."""
    try:
        yield
    except DispatchError as error:
        error.facts.setdefault("field", name)
        raise
