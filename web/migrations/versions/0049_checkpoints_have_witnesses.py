"""Checkpoints have witnesses: whose signatures are taken, and every line that they signed."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "custody_witness",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("trusted_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_witness")),
        sa.UniqueConstraint("key", name=op.f("uq_custody_witness_key")),
    )
    op.create_index(op.f("ix_custody_witness_name"), "custody_witness", ["name"])
    op.create_table(
        "custody_cosignature",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.String(length=300), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["custody_checkpoint.size"], name=op.f("fk_custody_cosignature_size_custody_checkpoint")
        ),
        sa.ForeignKeyConstraint(
            ["witness_id"], ["custody_witness.id"], name=op.f("fk_custody_cosignature_witness_id_custody_witness")
        ),
        sa.PrimaryKeyConstraint("size", "witness_id", name=op.f("pk_custody_cosignature")),
    )
    op.execute(
        """
        CREATE TRIGGER custody_cosignature_append_only BEFORE UPDATE OR DELETE ON custody_cosignature
        FOR EACH ROW EXECUTE FUNCTION refuse_log_change()
        """
    )


def downgrade() -> None:
    op.drop_table("custody_cosignature")
    op.drop_table("custody_witness")
