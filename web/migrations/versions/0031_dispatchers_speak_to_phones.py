"""Dispatchers speak to phones: a word to a courier, and when it was read."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "courier_word",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("division_id", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_courier_word_courier_id_courier")),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_courier_word_division_id_division")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_word")),
    )
    op.create_index("ix_courier_word_courier", "courier_word", ["courier_id", "said_at"])


def downgrade() -> None:
    op.drop_table("courier_word")
