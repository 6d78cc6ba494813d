"""A stop may be kept with its courier when the day is planned anew."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

KEY = "fk_stop_locked_to_id_courier"


def upgrade() -> None:
    op.add_column("stop", sa.Column("locked_to_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f(KEY), "stop", "courier", ["locked_to_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f(KEY), "stop", type_="foreignkey")
    op.drop_column("stop", "locked_to_id")
