"""Every step leaves a line: who took it on what, and the answer that a repeated client id gets again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act_record",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("named", postgresql.JSONB(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("answer", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_act_record_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act_record")),
    )
    op.create_index(op.f("ix_act_record_recorded_at"), "act_record", ["recorded_at"])
    op.create_index(
        "uq_act_record_client", "act_record", ["account_id", "client_id"], unique=True,
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("act_record")
