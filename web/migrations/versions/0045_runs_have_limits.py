"""A shift's runs have most stops and a longest distance, a courier's vehicle a range."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

TABLES = ("shift", "shift_rule")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("most_stops", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("longest_m", sa.BigInteger(), nullable=True))
    op.add_column("courier", sa.Column("range_m", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("courier", "range_m")
    for table in TABLES:
        op.drop_column(table, "longest_m")
        op.drop_column(table, "most_stops")
