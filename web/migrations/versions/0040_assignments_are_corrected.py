"""Assignments are corrected: when one truly began stands beside when it was written down; a mistake is replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

TABLE = "project_member"
ADDED = (
    ("recorded_at", sa.DateTime(timezone=True)),
    ("recorded_by", sa.String()),
    ("late_reason", sa.Text()),
    ("corrects", sa.BigInteger()),
    ("correction_reason", sa.Text()),
    ("replaced_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for name, kind in ADDED:
        op.add_column(TABLE, sa.Column(name, kind, nullable=True))
    # What is known of the past is that it was written down as it began, by whoever chose.
    op.execute("UPDATE project_member SET recorded_at = since, recorded_by = chosen_by")
    op.alter_column(TABLE, "recorded_at", nullable=False)
    op.alter_column(TABLE, "recorded_by", nullable=False)
    op.create_foreign_key(op.f("fk_project_member_corrects_project_member"), TABLE, TABLE, ["corrects"], ["id"])
    op.create_index(
        "uq_project_member_corrects", TABLE, ["corrects"], unique=True,
        postgresql_where=sa.text("corrects IS NOT NULL"),
    )  # fmt: skip
    op.create_check_constraint(
        op.f("ck_project_member_replaced_is_over"), TABLE, "replaced_at IS NULL OR until IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_project_member_corrected_with_reason"), TABLE, "corrects IS NULL OR correction_reason <> ''"
    )


def downgrade() -> None:
    op.execute("DELETE FROM project_member WHERE replaced_at IS NOT NULL")
    for name, _ in reversed(ADDED):
        op.drop_column(TABLE, name)
