"""Several matters of a joint group are filed on one form, and its cap limits each of them."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("review_event", sa.Column("joint_group", sa.String(), server_default="", nullable=False))
    op.add_column("review", sa.Column("joint_cap", sa.String(length=12), nullable=True))
    op.add_column("review", sa.Column("joint_group", sa.String(), nullable=True))
    op.add_column("review", sa.Column("joint_no", sa.String(), nullable=True))
    op.add_column("review", sa.Column("capped_from", MOMENT, nullable=True))
    op.add_column("review", sa.Column("joint_due_at", MOMENT, nullable=True))


def downgrade() -> None:
    for name in ("joint_due_at", "capped_from", "joint_no", "joint_group", "joint_cap"):
        op.drop_column("review", name)
    op.drop_column("review_event", "joint_group")
