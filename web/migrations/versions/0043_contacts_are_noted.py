"""Contacts with an enterprise are noted, with the day by which somebody comes back to them."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

TABLE = "contact_note"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("is_theirs", sa.Boolean(), nullable=False),
        sa.Column("was_missed", sa.Boolean(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("happened_at", moment, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        sa.Column("followed_at", moment, nullable=True),
        sa.Column("followed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["dispatch_case.id"], name=op.f("fk_contact_note_case_id_dispatch_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_note")),
    )
    op.create_index(op.f("ix_contact_note_case_id"), TABLE, ["case_id"])


def downgrade() -> None:
    op.execute("DELETE FROM obligation WHERE kind = 'follow_up'")
    op.drop_table(TABLE)
