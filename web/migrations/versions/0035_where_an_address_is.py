"""Where an address is: points that a person confirmed, and stops that wait for one."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_point",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("place_hash", sa.LargeBinary(), nullable=False),
        sa.Column("division_id", sa.BigInteger(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_known_point_division_id_division")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_point")),
        sa.UniqueConstraint("place_hash", name=op.f("uq_known_point_place_hash")),
    )
    op.add_column("stop", sa.Column("is_placed", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("stop", "is_placed", server_default=None)


def downgrade() -> None:
    op.drop_column("stop", "is_placed")
    op.drop_table("known_point")
