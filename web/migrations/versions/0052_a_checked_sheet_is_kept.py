"""A sheet that was checked is kept until its sender says that it is to be filed."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

TABLE = "sheet_draft"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sheet_draft_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sheet_draft")),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
