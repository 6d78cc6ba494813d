"""A sign-in is a row that can be ended; a token says what it is for and ends with its person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_session",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=True),
        sa.Column("means", sa.String(length=32), nullable=False),
        sa.Column("browser", sa.String(length=120), nullable=False),
        sa.Column("network", sa.String(length=60), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_session_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_login_session_digest")),
    )
    op.create_index(op.f("ix_login_session_account_id"), "login_session", ["account_id"])
    op.create_index(op.f("ix_login_session_device"), "login_session", ["device"])
    op.add_column(
        "token",
        sa.Column("scopes", postgresql.JSONB(), nullable=False, server_default=sa.text('\'["read", "write"]\'')),
    )
    op.alter_column("token", "scopes", server_default=None)
    op.add_column("token", sa.Column("epoch", sa.BigInteger()))
    op.execute("UPDATE token SET epoch = account.epoch FROM account WHERE account.id = token.account_id")
    op.alter_column("token", "epoch", nullable=False)
    op.add_column("token", sa.Column("used_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("token", "used_at")
    op.drop_column("token", "epoch")
    op.drop_column("token", "scopes")
    op.drop_table("login_session")
