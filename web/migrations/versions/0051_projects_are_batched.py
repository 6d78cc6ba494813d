"""Projects that were asked for together are a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

TABLE = "project_batch"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("gathered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gathered_by", sa.String(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_project_batch_enterprise_id_enterprise")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_project_batch_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_batch")),
    )
    op.create_index(op.f("ix_project_batch_enterprise_id"), TABLE, ["enterprise_id"])
    op.create_index(op.f("ix_project_batch_account_id"), TABLE, ["account_id"])
    op.add_column("project", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_project_batch_id_project_batch"), "project", TABLE, ["batch_id"], ["id"])
    op.create_index(op.f("ix_project_batch_id"), "project", ["batch_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_project_batch_id"), "project")
    op.drop_column("project", "batch_id")
    op.drop_table(TABLE)
