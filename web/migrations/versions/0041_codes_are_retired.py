"""Codes are retired: the code that a wrong number was told is known as such where somebody says it."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcel", sa.Column("retired_code_hash", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("parcel", "retired_code_hash")
