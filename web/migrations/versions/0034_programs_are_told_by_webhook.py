"""Programs are told by webhook: subscriptions, and a delivery for each whenever a public line enters a timeline."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _subscriptions()
    _deliveries()
    op.execute(
        """
        CREATE FUNCTION queue_webhook_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM webhook_subscription WHERE state <> 'ended') THEN
                RETURN NULL;
            END IF;
            INSERT INTO webhook_delivery
                (subscription_id, event_id, case_id, state, attempts, last_problem, due_at, created_at)
            SELECT s.id, n.id, n.case_id, 'due', 0, '', clock_timestamp(), clock_timestamp()
            FROM new_lines n
            JOIN dispatch_case c ON c.id = n.case_id
            JOIN project p ON p.id = c.project_id
            JOIN division d ON d.id = p.home_division_id
            JOIN webhook_subscription s ON s.state <> 'ended'
                AND (s.enterprise_id IS NULL OR s.enterprise_id = p.enterprise_id)
                AND (s.division_path IS NULL OR d.path <@ s.division_path::ltree)
            WHERE NOT n.internal
            ORDER BY n.id;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER case_event_queues_webhook_deliveries AFTER INSERT ON case_event"
        " REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION queue_webhook_deliveries()"
    )


def _subscriptions() -> None:
    op.create_table(
        "webhook_subscription",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("enterprise_id", sa.BigInteger(), nullable=True),
        sa.Column("division_path", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("former_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("pause_cause", sa.String(length=32), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_webhook_subscription_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_webhook_subscription_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_subscription")),
    )
    op.create_index("ix_webhook_subscription_account", "webhook_subscription", ["account_id"])


def _deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.BigInteger(), nullable=True),
        sa.Column("last_problem", sa.String(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["webhook_subscription.id"],
            name=op.f("fk_webhook_delivery_subscription_id_webhook_subscription"),
        ),
        sa.ForeignKeyConstraint(["event_id"], ["case_event.id"], name=op.f("fk_webhook_delivery_event_id_case_event")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["dispatch_case.id"], name=op.f("fk_webhook_delivery_case_id_dispatch_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )  # fmt: skip
    is_due = sa.text("state = 'due'")
    for name, columns, where in (
        ("line", ["subscription_id", "case_id", "id"], is_due),
        ("due", ["due_at"], is_due),
        ("subscription", ["subscription_id", "id"], None),
        ("event", ["event_id"], None),
    ):
        op.create_index(f"ix_webhook_delivery_{name}", "webhook_delivery", columns, postgresql_where=where)


def downgrade() -> None:
    op.execute("DROP TRIGGER case_event_queues_webhook_deliveries ON case_event")
    op.execute("DROP FUNCTION queue_webhook_deliveries()")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_subscription")
