"""Projects are merged: of two that are the same one, the duplicate names the one that is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("merged_into_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_project_merged_into_id_project"), "project", "project", ["merged_into_id"], ["id"]
    )  # fmt: skip
    op.create_index(op.f("ix_project_merged_into_id"), "project", ["merged_into_id"])


def downgrade() -> None:
    op.drop_column("project", "merged_into_id")
