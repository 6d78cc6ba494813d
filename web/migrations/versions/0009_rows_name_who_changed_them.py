"""A project, a review and a plan name who changed them last, as a case does: whoever comes too late is told."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("project", "review", "plan")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("changed_by", sa.String(), nullable=False, server_default=""))
        op.alter_column(table, "changed_by", server_default=None)


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "changed_by")
