"""Limits are derived anew when what they follow from has changed; after this upgrade that is so."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "derivation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wanted", sa.Uuid(), nullable=False),
        sa.Column("done", sa.Uuid(), nullable=True),
        sa.Column("with_catalogue", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_derivation_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_derivation")),
    )
    op.add_column(
        "dispatch_case", sa.Column("is_rebase_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute("INSERT INTO derivation (id, wanted, with_catalogue) VALUES (1, gen_random_uuid(), true)")


def downgrade() -> None:
    op.drop_column("dispatch_case", "is_rebase_wanted")
    op.drop_table("derivation")
