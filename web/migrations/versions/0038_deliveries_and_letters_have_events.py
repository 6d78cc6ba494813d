"""Deliveries and letters have events: what their columns tell becomes events, written down when it was written then."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

NOUNS = (("delivered_case_id", "dispatch_case"), ("delegation_id", "delegation"))
ONE_OF_FOUR = "num_nonnulls(material_id, ticket_id, delivered_case_id, delegation_id) = 1"


def upgrade() -> None:
    for column, table in NOUNS:
        op.add_column("fact_event", sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_fact_event_{column}_{table}"), "fact_event", table, [column], ["id"])
        op.create_index(op.f(f"ix_fact_event_{column}"), "fact_event", [column])
    op.drop_constraint(op.f("ck_fact_event_of_one_noun"), "fact_event")
    op.create_check_constraint(op.f("ck_fact_event_of_one_noun"), "fact_event", ONE_OF_FOUR)
    _event("result_delivered", "delivered_case_id", "delivered_at", source="dispatch_case r")
    _event("delegation_signed", "delegation_id", "signed_at", source="delegation r")
    _event(
        "delegation_revoked",
        "delegation_id",
        "revoked_at",
        source="delegation r",
        told="coalesce(r.revocation_reason, '')",
    )


def downgrade() -> None:
    op.execute("ALTER TABLE fact_event DISABLE TRIGGER fact_event_append_only")
    op.execute("DELETE FROM fact_event WHERE delivered_case_id IS NOT NULL OR delegation_id IS NOT NULL")
    op.execute("ALTER TABLE fact_event ENABLE TRIGGER fact_event_append_only")
    op.drop_constraint(op.f("ck_fact_event_of_one_noun"), "fact_event")
    op.create_check_constraint(
        op.f("ck_fact_event_of_one_noun"), "fact_event", "num_nonnulls(material_id, ticket_id) = 1"
    )
    for column, _ in NOUNS:
        op.drop_column("fact_event", column)


def _event(kind: str, noun: str, at: str, *, source: str, told: str = "''") -> None:
    """One event from each row of ``source`` that tells of it: ``at`` is when it happened, and was written down."""
    columns = {
        noun: "r.id", "kind": f"'{kind}'", "happened_on": f"(r.{at} AT TIME ZONE 'Asia/Shanghai')::date",
        "happened_at": f"r.{at}", "recorded_at": f"r.{at}", "recorded_by": "''", "late_reason": "''",
        "document_no": "''", "media_type": "''", "words": told, "correction_reason": "''",
    }  # fmt: skip
    given, values = ", ".join(columns), ", ".join(columns.values())
    op.execute(f"INSERT INTO fact_event ({given}) SELECT {values} FROM {source} WHERE r.{at} IS NOT NULL")
