"""A commitment is verified: by which day, when it was found true, when the decision was revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("review", sa.Column("verify_by", sa.Date(), nullable=True))
    op.add_column("review", sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("review", sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("review", "revoked_at")
    op.drop_column("review", "verified_at")
    op.drop_column("review", "verify_by")
