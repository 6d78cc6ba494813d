"""The security log: lines are only ever added; the database refuses to change one, or to delete it before its time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "security_event",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("network", sa.String(length=60), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_security_event_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
    )
    op.create_index(op.f("ix_security_event_at"), "security_event", ["at"])
    op.create_index(op.f("ix_security_event_account_id"), "security_event", ["account_id"])
    op.execute(
        """
        CREATE FUNCTION refuse_security_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                RAISE EXCEPTION 'the security log is append-only: it is not emptied';
            END IF;
            IF TG_OP = 'DELETE' AND OLD.at < clock_timestamp() - interval '199 days' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'the security log is append-only: % of line % is refused', TG_OP, OLD.id;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER security_event_append_only BEFORE UPDATE OR DELETE ON security_event
        FOR EACH ROW EXECUTE FUNCTION refuse_security_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER security_event_no_truncate BEFORE TRUNCATE ON security_event
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_security_change()
        """
    )


def downgrade() -> None:
    op.drop_table("security_event")
    op.execute("DROP FUNCTION refuse_security_change()")
