"""Materials and tickets have events: what their columns tell becomes events, written down when it was written then."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_table()
    _materials()
    _tickets()
    op.execute(
        """
        CREATE FUNCTION refuse_fact_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'filename' = to_jsonb(OLD) - 'filename' THEN
                RETURN NEW;  -- the name of a file is written anew when the key that hides it changes
            END IF;
            RAISE EXCEPTION 'events are append-only: % of event % is refused', TG_OP, OLD.id;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER fact_event_append_only BEFORE UPDATE OR DELETE ON fact_event
        FOR EACH ROW EXECUTE FUNCTION refuse_fact_change()
        """
    )


def downgrade() -> None:
    op.drop_table("fact_event")
    op.execute("DROP FUNCTION refuse_fact_change()")


def _make_table() -> None:
    op.create_table(
        "fact_event",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("material_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("late_reason", sa.Text(), nullable=False),
        sa.Column("document_no", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("filename", sa.LargeBinary(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("num_nonnulls(material_id, ticket_id) = 1", name=op.f("ck_fact_event_of_one_noun")),
        sa.CheckConstraint(
            "corrects IS NULL OR correction_reason <> ''", name=op.f("ck_fact_event_corrected_with_reason")
        ),
        sa.CheckConstraint("kind <> 'voided' OR corrects IS NOT NULL", name=op.f("ck_fact_event_voids_something")),
        sa.ForeignKeyConstraint(["corrects"], ["fact_event.id"], name=op.f("fk_fact_event_corrects_fact_event")),
        sa.ForeignKeyConstraint(["material_id"], ["material.id"], name=op.f("fk_fact_event_material_id_material")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_fact_event_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_event")),
    )
    op.create_index(op.f("ix_fact_event_material_id"), "fact_event", ["material_id"])
    op.create_index(op.f("ix_fact_event_ticket_id"), "fact_event", ["ticket_id"])
    op.create_index(op.f("ix_fact_event_document"), "fact_event", ["document"])
    op.create_index(
        "uq_fact_event_corrects", "fact_event", ["corrects"], unique=True,
        postgresql_where=sa.text("corrects IS NOT NULL"),
    )  # fmt: skip


def _event(kind: str, noun: str, at: str, *, source: str, told: str = "''", **more: str) -> None:
    """One event from each row of ``source``: ``at`` is when it was written down, and happened."""
    columns = {
        noun: "r.id", "kind": f"'{kind}'", "happened_on": f"({at} AT TIME ZONE 'Asia/Shanghai')::date",
        "happened_at": at, "recorded_at": at, "recorded_by": "''", "late_reason": "''", "document_no": "''",
        "media_type": "''", "words": told, "correction_reason": "''",
    } | more  # fmt: skip
    op.execute(f"INSERT INTO fact_event ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}")


def _line(*kinds: str, until: str = "NULL::timestamptz") -> str:
    """When the timeline told last of such a step of material r's case, not later than ``until``; else its beginning."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"""coalesce((SELECT max(at) FROM case_event WHERE case_id = r.case_id AND kind IN ({listed})
                         AND at <= coalesce({until}, 'infinity'::timestamptz)), c.created_at)"""


GIVEN = "r.given_at IS NOT NULL OR r.state = 'given' OR (r.state = 'accepted' AND r.mode NOT LIKE 'original%')"
OVERDUE_THEN_GIVEN = "(r.owed_by IS NOT NULL AND r.supplied_at IS NULL AND r.state IN ('given', 'accepted'))"


def _materials() -> None:
    """The last events that make a material what it is; what it was before them is not known of every one.

    Two events of one moment stand in the order of their ids, so that they are written in the order of the path."""
    of_case = "material r JOIN dispatch_case c ON c.id = r.case_id WHERE "
    file = {"document": "r.sha256", "media_type": "coalesce(r.media_type, '')", "filename": "r.filename"}
    defect = {"words": "coalesce(nullif(r.defect, ''), '—')"}
    day_owed = {"until": "coalesce(r.owed_by, (c.created_at AT TIME ZONE 'Asia/Shanghai')::date)"}
    judged = ("prescreened", "correction")
    deferred_first = f"least({_line(*judged, until='coalesce(r.supplied_at, r.given_at)')}, r.supplied_at, r.given_at)"
    last = f"greatest({_line(*judged)}, r.given_at)"

    def event(kind: str, at: str, where: str, **more: str) -> None:
        _event(f"material_{kind}", "material_id", at, source=of_case + where, **more)

    event("looked_up", "c.created_at", "r.state = 'held' AND r.mode = 'looked_up'")
    event("held", "c.created_at", "r.state = 'held' AND r.mode <> 'looked_up'")
    event("awaited", "c.created_at", "r.state = 'awaited'")  # tables that went back from a later release
    event("refused", f"least({_line('correction', until='r.given_at')}, r.given_at)",
          f"r.defect IS NOT NULL AND r.state IN ('given', 'deferred') AND NOT {OVERDUE_THEN_GIVEN}", **defect)  # fmt: skip
    event("deferred", deferred_first, f"r.supplied_at IS NOT NULL OR {OVERDUE_THEN_GIVEN}", **day_owed)
    event("refused", deferred_first, OVERDUE_THEN_GIVEN, **defect)
    event("given", "coalesce(r.given_at, c.created_at)", GIVEN, **file)
    event("refused", last, "r.state = 'wanted' AND r.defect IS NOT NULL", **defect)
    event("mended", last, "r.state = 'wanted' AND r.defect IS NOT NULL")
    event("deferred", last, "r.supplied_at IS NULL AND (r.state = 'deferred' OR (r.state = 'defective' AND r.owed_by"
          " IS NOT NULL))", **day_owed)  # fmt: skip
    event("refused", last, "r.state = 'defective'", **defect)
    event("passed", last, "r.state = 'accepted'")
    # States of later releases, met where a database goes back and comes again.
    event("awaited", "c.created_at", "r.state = 'awaited'")
    event("not_needed", last, "r.state = 'not_needed'")


def _tickets() -> None:
    _event("ticket_received", "ticket_id", "r.opened_at", account_id="r.filed_by", source="ticket r")
    answered = "ticket r WHERE r.answered_at IS NOT NULL"
    _event("ticket_answered", "ticket_id", "r.answered_at", told="coalesce(r.reply, '')", source=answered)
    called = "ticket r WHERE r.called_back_at IS NOT NULL"
    _event("ticket_called_back", "ticket_id", "r.called_back_at", told="coalesce(r.call_back_words, '')", source=called)
