"""What a stop brings may be at the centre only later in the day."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stop", sa.Column("papers_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("stop", "papers_at")
