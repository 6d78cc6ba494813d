"""Project batch: projects that were asked for together, by one sheet or one program."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db import Base

MOST_PROJECTS = 200


class ProjectBatch(Base):
    """A batch (批次) of projects: signed for by one letter, looked after in one list, taken back within the day.

    ``enterprise_id``: whose projects they are; None where staff filed for several enterprises."""

    __tablename__ = "project_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    gathered_at: Mapped[datetime]
    gathered_by: Mapped[str]
    undone_at: Mapped[datetime | None]
    undo_reason: Mapped[str | None]
