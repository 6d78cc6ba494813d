"""Envelopes pass on the road: what one courier gives to another or brings back, by the word of each side."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roadside_pass",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("division_id", sa.BigInteger(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("giver_id", sa.BigInteger(), nullable=False),
        sa.Column("receiver_id", sa.BigInteger(), nullable=True),
        sa.Column("stop_id", sa.BigInteger(), nullable=True),
        sa.Column("parcel_id", sa.BigInteger(), nullable=True),
        sa.Column("plan_id", sa.BigInteger(), nullable=True),
        sa.Column("meet_s", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.LargeBinary(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_roadside_pass_division_id_division")),
        sa.ForeignKeyConstraint(["giver_id"], ["courier.id"], name=op.f("fk_roadside_pass_giver_id_courier")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_roadside_pass_parcel_id_parcel")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_roadside_pass_plan_id_plan")),
        sa.ForeignKeyConstraint(["receiver_id"], ["courier.id"], name=op.f("fk_roadside_pass_receiver_id_courier")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_roadside_pass_stop_id_stop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roadside_pass")),
    )
    op.create_index("ix_roadside_pass_giver", "roadside_pass", ["giver_id", "on"])
    op.create_index("ix_roadside_pass_receiver", "roadside_pass", ["receiver_id", "on"])
    op.create_index(op.f("ix_roadside_pass_parcel_id"), "roadside_pass", ["parcel_id"])
    op.create_index(op.f("ix_roadside_pass_stop_id"), "roadside_pass", ["stop_id"])


def downgrade() -> None:
    op.drop_table("roadside_pass")
