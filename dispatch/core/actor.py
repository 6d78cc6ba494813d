"""Who is looking: the viewer that every query takes first, and acts are signed with."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an account may do. A lead's and a supervisor's reach is a subtree of the network."""

    ENTERPRISE = "enterprise"
    AGENT = "agent"
    LEAD = "lead"
    COURIER = "courier"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    SYSTEM = "system"


ROLE_LABEL = {
    Role.ENTERPRISE: "企业",
    Role.AGENT: "代办员",
    Role.LEAD: "代办组长",
    Role.COURIER: "邮政揽投员",
    Role.SUPERVISOR: "监督员",
    Role.OPERATOR: "系统管理员",
    Role.SYSTEM: "系统",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """One person with one role; what it may see follows from these fields alone."""

    role: Role
    account_id: int | None = None
    name: str = ""
    enterprise_id: int | None = None
    agent_id: int | None = None
    courier_id: int | None = None
    division_id: int | None = None
    division_path: str | None = None
    sees_own_only: bool = False
    """An enterprise's person whose claim to it nobody has approved yet: sees what it filed itself, no more."""

    @property
    def label(self) -> str:
        """How the timeline names this person."""
        return f"{ROLE_LABEL[self.role]} {self.name}".strip()

    @property
    def is_staff(self) -> bool:
        return self.role in {Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR, Role.SYSTEM}


SYSTEM = Actor(role=Role.SYSTEM)
