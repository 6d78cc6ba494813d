"""Tries at passwords and query codes are counted by what is tried and by whom; a code is for the browser that asked."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guess",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("network", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=True),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guess")),
    )
    op.create_index("ix_guess_subject_at", "guess", ["subject", "at"])
    op.add_column("login_code", sa.Column("device", sa.LargeBinary()))
    op.add_column("login_code", sa.Column("is_familiar", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("login_code", "is_familiar", server_default=None)


def downgrade() -> None:
    op.drop_column("login_code", "is_familiar")
    op.drop_column("login_code", "device")
    op.drop_table("guess")
