"""Letters may be void: one that was never signed is kept with its record, and says no day of signing."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("delegation", "signed_at", nullable=True)


def downgrade() -> None:
    op.execute("UPDATE delegation SET signed_at = valid_from WHERE signed_at IS NULL")
    op.alter_column("delegation", "signed_at", nullable=False)
