"""What couriers say and dispatchers settle, what waits on each phone, and when an act at a door was recorded."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "courier_phone",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.Uuid(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("skew_s", sa.Double(), nullable=True),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("stuck", sa.BigInteger(), nullable=False),
        sa.Column("others", sa.BigInteger(), nullable=False),
        sa.Column("oldest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("program", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_courier_phone_courier_id_courier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_phone")),
        sa.UniqueConstraint("courier_id", "device", name=op.f("uq_courier_phone_courier_id_device")),
    )
    op.create_table(
        "courier_report",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=True),
        sa.Column("act", sa.String(length=32), nullable=True),
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("division_id", sa.BigInteger(), nullable=False),
        sa.Column("stop_id", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("waybills", postgresql.JSONB(), nullable=False),
        sa.Column("proofs", postgresql.JSONB(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drift_s", sa.Double(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_courier_report_courier_id_courier")),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_courier_report_division_id_division")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_courier_report_stop_id_stop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_report")),
        sa.UniqueConstraint("event_id", name=op.f("uq_courier_report_event_id")),
    )
    op.create_index("ix_courier_report_courier", "courier_report", ["courier_id", "recorded_at"])
    op.create_index("ix_courier_report_division", "courier_report", ["division_id", "state"])
    op.create_index(op.f("ix_courier_report_stop_id"), "courier_report", ["stop_id"])
    op.add_column("stop_event", sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE stop_event SET recorded_at = at")
    op.alter_column("stop_event", "recorded_at", nullable=False)


def downgrade() -> None:
    op.drop_column("stop_event", "recorded_at")
    op.drop_table("courier_report")
    op.drop_table("courier_phone")
