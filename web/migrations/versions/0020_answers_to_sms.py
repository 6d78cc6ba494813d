"""What people answer to an SMS, and what a provider pushes that nobody can read, are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbound_sms",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=80), nullable=False),
        sa.Column("from_hash", sa.LargeBinary(), nullable=True),
        sa.Column("masked", sa.String(length=30), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("stops", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_sms")),
        sa.UniqueConstraint("gateway", "provider_id", name=op.f("uq_inbound_sms_gateway_provider_id")),
    )
    op.create_index(op.f("ix_inbound_sms_from_hash"), "inbound_sms", ["from_hash"])
    op.create_table(
        "odd_push",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_odd_push")),
        sa.UniqueConstraint("digest", name=op.f("uq_odd_push_digest")),
    )


def downgrade() -> None:
    op.drop_table("odd_push")
    op.drop_table("inbound_sms")
