"""The roster has rules from which shifts are made; whoever has shifts goes on as the last one was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("courier", sa.Column("rostered_until", sa.Date(), nullable=True))
    op.create_table(
        "shift_rule",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("courier_id", sa.BigInteger(), nullable=False),
        sa.Column("weekdays", postgresql.JSONB(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("starts_s", sa.BigInteger(), nullable=True),
        sa.Column("ends_s", sa.BigInteger(), nullable=True),
        sa.Column("break_opens_s", sa.BigInteger(), nullable=True),
        sa.Column("break_closes_s", sa.BigInteger(), nullable=True),
        sa.Column("break_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(starts_s IS NULL) = (ends_s IS NULL)", name=op.f("ck_shift_rule_hours")),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_shift_rule_period")),
        sa.ForeignKeyConstraint(["courier_id"], ["courier.id"], name=op.f("fk_shift_rule_courier_id_courier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_rule")),
    )
    op.create_index(op.f("ix_shift_rule_courier_id"), "shift_rule", ["courier_id"])
    op.execute(
        """
        INSERT INTO shift_rule (courier_id, weekdays, first_on, starts_s, ends_s, break_opens_s, break_closes_s, break_s)
        SELECT DISTINCT ON (shift.courier_id) shift.courier_id, seen.weekdays, seen.first_on, starts_s, ends_s,
               CASE WHEN break_s > 0 THEN break_opens_s END, CASE WHEN break_s > 0 THEN break_closes_s END, break_s
        FROM shift JOIN (SELECT courier_id, min("on") AS first_on,
                                jsonb_agg(DISTINCT extract(isodow FROM "on")::int) AS weekdays
                         FROM shift GROUP BY courier_id) AS seen ON seen.courier_id = shift.courier_id
        ORDER BY shift.courier_id, shift."on" DESC
        """
    )


def downgrade() -> None:
    op.drop_table("shift_rule")
    op.drop_column("courier", "rostered_until")
