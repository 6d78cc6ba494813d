"""Visits are told by SMS or by a call: each announced, moved or cancelled visit has its word and its teller."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit_word",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("division_id", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.String(length=32), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("opens_s", sa.BigInteger(), nullable=False),
        sa.Column("closes_s", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_by", sa.String(), nullable=False),
        sa.Column("call_note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_visit_word_division_id_division")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_visit_word_message_id_message")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_visit_word_stop_id_stop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_word")),
    )
    op.create_index("ix_visit_word_division", "visit_word", ["division_id", "on"])
    op.create_index(op.f("ix_visit_word_stop_id"), "visit_word", ["stop_id"])


def downgrade() -> None:
    op.drop_table("visit_word")
