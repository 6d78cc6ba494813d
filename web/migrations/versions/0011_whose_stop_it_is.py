"""A number's stop belongs to the division of who wrote it: a lead reads and lifts those of the own subtree."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("suppressed_number", sa.Column("division_id", sa.BigInteger()))
    op.create_foreign_key(
        op.f("fk_suppressed_number_division_id_division"), "suppressed_number", "division", ["division_id"], ["id"]
    )
    op.execute(
        "UPDATE suppressed_number SET division_id = account.division_id FROM account WHERE account.id = by_account"
    )


def downgrade() -> None:
    op.drop_column("suppressed_number", "division_id")
