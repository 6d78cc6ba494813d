"""Columns that hold a reason are named for it."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RENAMED = (
    ("courier_report", "why", "hold_reason"),
    ("message", "resend_why", "resend_reason"),
    ("person_request", "why", "reason"),
    ("plan", "why_failed", "failure"),
    ("suppressed_number", "why", "reason"),
    ("unmasking", "why", "reason"),
)


def upgrade() -> None:
    for table, before, after in RENAMED:
        op.alter_column(table, before, new_column_name=after)


def downgrade() -> None:
    for table, before, after in RENAMED:
        op.alter_column(table, after, new_column_name=before)
