"""Project corrections: what was written down wrongly of a project, what is right, why, and who put it right."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


class ProjectPart(StrEnum):
    """What of a project can be put right: SITE 项目地点, CONTACT 联系人, MATTERS 事项, FAMILY 类别, ENTERPRISE 企业,
    ASSIGNMENT 指派."""

    SITE = "site"
    CONTACT = "contact"
    MATTERS = "matters"
    FAMILY = "family"
    ENTERPRISE = "enterprise"
    ASSIGNMENT = "assignment"


PART_LABEL = {
    ProjectPart.SITE: "项目地点",
    ProjectPart.CONTACT: "联系人",
    ProjectPart.MATTERS: "办理事项",
    ProjectPart.FAMILY: "项目类别",
    ProjectPart.ENTERPRISE: "申请企业",
    ProjectPart.ASSIGNMENT: "代办员指派",
}


class ProjectCorrection(Base):
    """One correction (更正) of a project's own facts: never changed, never deleted.

    ``was`` and ``now`` are words for people; a contact stands there masked."""

    __tablename__ = "project_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    part: Mapped[ProjectPart]
    was: Mapped[str] = mapped_column(EncryptedText)
    now: Mapped[str] = mapped_column(EncryptedText)
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    account_id: Mapped[int | None]
