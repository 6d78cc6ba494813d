"""A contact note that is wrong is replaced or void, and an offer to take over says when it was written down."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

NOTE, OFFER = "contact_note", "referral"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column(NOTE, sa.Column("account_id", sa.BigInteger(), nullable=True))
    op.add_column(NOTE, sa.Column("late_reason", sa.Text(), nullable=True))
    op.add_column(NOTE, sa.Column("corrects", sa.BigInteger(), nullable=True))
    op.add_column(NOTE, sa.Column("replaced_at", moment, nullable=True))
    op.add_column(NOTE, sa.Column("replaced_by", sa.String(), nullable=True))
    op.add_column(NOTE, sa.Column("correction_reason", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_contact_note_corrects_contact_note"), NOTE, NOTE, ["corrects"], ["id"])
    op.create_index(
        "uq_contact_note_corrects", NOTE, ["corrects"], unique=True, postgresql_where=sa.text("corrects IS NOT NULL")
    )
    op.add_column(OFFER, sa.Column("recorded_at", moment, nullable=True))
    op.add_column(OFFER, sa.Column("recorded_by", sa.String(), nullable=True))
    op.add_column(OFFER, sa.Column("late_reason", sa.Text(), nullable=True))
    op.execute("UPDATE referral SET recorded_at = coalesce(accepted_at, declined_at, offered_at)")


def downgrade() -> None:
    op.drop_column(OFFER, "late_reason")
    op.drop_column(OFFER, "recorded_by")
    op.drop_column(OFFER, "recorded_at")
    op.execute("DELETE FROM obligation WHERE kind = 'follow_up'")
    op.execute("UPDATE contact_note SET follow_up_on = NULL WHERE replaced_at IS NOT NULL")
    op.drop_index("uq_contact_note_corrects", NOTE)
    op.drop_constraint(op.f("fk_contact_note_corrects_contact_note"), NOTE, type_="foreignkey")
    for column in ("correction_reason", "replaced_by", "replaced_at", "corrects", "late_reason", "account_id"):
        op.drop_column(NOTE, column)
