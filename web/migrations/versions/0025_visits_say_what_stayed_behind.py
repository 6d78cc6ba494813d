"""Visits say what stayed behind: a stop's event names the waybills that its visit was for and left where they were."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("left_behind", postgresql.JSONB(), server_default="[]", nullable=False)
    op.add_column("stop_event", column)


def downgrade() -> None:
    op.drop_column("stop_event", "left_behind")
