"""Uploads have an owner: who uploaded a file, and for what, so that an act names only its own."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

TABLE = "kept_upload"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_kept_upload_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_upload")),
        sa.UniqueConstraint("sha256", "account_id", "subject", name=op.f("uq_kept_upload_sha256_account_id_subject")),
    )
    op.create_index(op.f("ix_kept_upload_account_id"), TABLE, ["account_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
