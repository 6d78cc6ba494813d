"""Couriers say when they come: why, by whom, and under which id a phone said it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visit_word", sa.Column("why", sa.String(length=32), nullable=True))
    op.add_column("visit_word", sa.Column("event_id", sa.Uuid(), nullable=True))
    op.add_column("visit_word", sa.Column("said_by_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_visit_word_said_by_id_courier"), "visit_word", "courier", ["said_by_id"], ["id"])
    op.create_index(op.f("ix_visit_word_event_id"), "visit_word", ["event_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_visit_word_event_id"), "visit_word")
    for name in ("said_by_id", "event_id", "why"):
        op.drop_column("visit_word", name)
