"""Reviews have events: what the columns tell of a matter becomes events, written down when it was written down then."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ON = "({} AT TIME ZONE 'Asia/Shanghai')::date"
EIGHT_IN_THE_MORNING = "(({} + time '09:00') AT TIME ZONE 'Asia/Shanghai')"


def upgrade() -> None:
    op.add_column("review", sa.Column("centre_no", sa.String(length=16), nullable=True))
    op.create_foreign_key(
        op.f("fk_review_centre_no_service_centre"), "review", "service_centre", ["centre_no"], ["centre_no"]
    )
    op.execute(
        """
        UPDATE review SET centre_no = (SELECT min(centre_no) FROM service_centre
                                       WHERE division_id = review.counter_division_id AND retired_on IS NULL)
        """
    )
    _make_table()
    _filings()
    _answers()
    _limits()
    _decisions()
    op.execute(
        """
        CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'events are append-only: % of event % is refused', TG_OP, OLD.id;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER review_event_append_only BEFORE UPDATE OR DELETE ON review_event
        FOR EACH ROW EXECUTE FUNCTION refuse_event_change()
        """
    )


def downgrade() -> None:
    op.drop_table("review_event")
    op.execute("DROP FUNCTION refuse_event_change()")
    op.drop_column("review", "centre_no")


def _make_table() -> None:
    op.create_table(
        "review_event",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("late_reason", sa.Text(), nullable=False),
        sa.Column("document_no", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("pause_kind", sa.String(length=32), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("maximum_wd", sa.BigInteger(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("working_days", sa.BigInteger(), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "corrects IS NULL OR correction_reason <> ''", name=op.f("ck_review_event_corrected_with_reason")
        ),
        sa.CheckConstraint("kind <> 'voided' OR corrects IS NOT NULL", name=op.f("ck_review_event_voids_something")),
        sa.ForeignKeyConstraint(["corrects"], ["review_event.id"], name=op.f("fk_review_event_corrects_review_event")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_event_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_event")),
    )
    op.create_index(op.f("ix_review_event_review_id"), "review_event", ["review_id"])
    op.create_index(op.f("ix_review_event_document"), "review_event", ["document"])
    op.create_index(
        "uq_review_event_corrects", "review_event", ["corrects"], unique=True,
        postgresql_where=sa.text("corrects IS NOT NULL"),
    )  # fmt: skip


def _event(
    kind: str, at: str, *, source: str, on: str | None = None, exact: bool = True, told: str = "''", **more: str
) -> None:
    """One event from each row of ``source`` (of review r): ``at`` is when it was written down, and happened."""
    columns = {
        "review_id": "r.id", "kind": kind, "happened_on": on or ON.format(at),
        "happened_at": at if exact else "NULL::timestamptz", "recorded_at": at,
        "recorded_by": "coalesce(e.actor, '')", "late_reason": "''", "document_no": "''", "words": told,
        "rule": "''", "correction_reason": "''",
    } | more  # fmt: skip
    op.execute(f"INSERT INTO review_event ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}")


def _told(*kinds: str) -> str:
    """The line of the timeline that told of a step of review r: who took it."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"""
        LEFT JOIN LATERAL (
            SELECT actor FROM case_event
            WHERE case_id = r.case_id AND kind IN ({listed})
              AND coalesce((detail->>'review_id')::bigint, r.id) = r.id
            ORDER BY id DESC LIMIT 1) e ON true"""


def _lines(kind: str) -> str:
    """Each line of the timeline of this kind that names review r."""
    return f"""review r JOIN case_event e ON e.case_id = r.case_id AND e.kind = '{kind}'
               AND (e.detail->>'review_id')::bigint = r.id"""


def _filings() -> None:
    """The first filing, each request for corrections and each filing after it; the last as its columns say."""
    _event(
        "'simulated'", "coalesce(e.at, c.created_at)",
        source="review r JOIN dispatch_case c ON c.id = r.case_id LEFT JOIN LATERAL ("
        "SELECT at, actor FROM case_event WHERE case_id = r.case_id AND kind = 'simulated'"
        " AND (detail->>'review_id')::bigint = r.id ORDER BY id LIMIT 1) e ON true"
        " WHERE r.relief = 'simulated'",
    )  # fmt: skip
    receipt = "CASE WHEN e.at = r.filed_at THEN coalesce(r.receipt_no, '') ELSE '' END"
    _event("'filed'", "e.at", source=_lines("refiled"), document_no=receipt)
    _event("'supplement_asked'", "e.at", source=_lines("supplement"), told="coalesce(r.correction_words, e.words)")
    # Without a line of its own the last filing, and the first of a case, are known by their columns alone.
    refiled = "SELECT 1 FROM review_event v WHERE v.review_id = r.id AND v.kind = 'filed'"
    _event(
        "'filed'", "coalesce(s.at, r.filed_at, c.stage_at)", document_no="CASE WHEN s.at IS NULL THEN coalesce(r.receipt_no, '') ELSE '' END",
        recorded_by="coalesce(s.actor, '')",
        source=f"""review r JOIN dispatch_case c ON c.id = r.case_id
            LEFT JOIN LATERAL (
                SELECT least(at, r.filed_at) AS at, actor FROM case_event
                WHERE case_id = r.case_id AND kind = 'submitted' AND EXISTS ({refiled})
                ORDER BY id LIMIT 1) s ON true
            WHERE r.filed_at IS NOT NULL
               OR r.state IN ('submitted', 'supplement', 'accepted', 'paused', 'extended', 'granted', 'denied',
                              'returned', 'not_accepted')""",
    )  # fmt: skip
    _event(
        "'supplement_asked'", "r.correction_asked_at", told="coalesce(nullif(r.correction_words, ''), '—')",
        recorded_by="''",
        source="review r WHERE r.state = 'supplement' AND r.correction_asked_at IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM review_event v WHERE v.review_id = r.id AND v.kind = 'supplement_asked')",
    )  # fmt: skip


def _answers() -> None:
    accepted = f"review r {_told('accepted')} WHERE r.accepted_at IS NOT NULL AND {{}} r.deemed_accepted"
    _event("'accepted'", "r.accepted_at", source=accepted.format("NOT"), document_no="coalesce(r.acceptance_no, '')")
    _event("'deemed_accepted'", "coalesce(r.correction_due_at, r.accepted_at)", source=accepted.format(""))


def _limits() -> None:
    begun = f"review r JOIN review_pause p ON p.review_id = r.id {_told('paused')}"
    _event(
        "'paused'", EIGHT_IN_THE_MORNING.format("p.starts_on"), on="p.starts_on", exact=False, source=begun,
        document_no="p.notice_no", pause_kind="p.kind", until="p.expected_end_on", maximum_wd="p.maximum_wd",
        rule="p.rule",
    )  # fmt: skip
    _event(
        "'resumed'", EIGHT_IN_THE_MORNING.format("p.ended_on"), on="p.ended_on", exact=False,
        source=begun + " WHERE p.ended_on IS NOT NULL",
    )  # fmt: skip
    _event(
        "'extended'", EIGHT_IN_THE_MORNING.format("coalesce(r.extension_notified_on, r.extension_approved_on)"),
        on="r.extension_approved_on", exact=False, told="coalesce(nullif(r.extension_reason, ''), '—')",
        working_days="r.extension_wd", notified_on="r.extension_notified_on",
        source=f"review r {_told('extended')} WHERE r.extension_wd IS NOT NULL AND r.extension_approved_on IS NOT NULL",
    )  # fmt: skip


def _decisions() -> None:
    decided = f"review r {_told('decided')} WHERE r.decided_at IS NOT NULL AND r.state IN ({{}})"
    on_commitment = "r.state = 'granted' AND r.relief = 'commitment' AND r.verify_by IS NOT NULL"
    _event(
        f"CASE WHEN {on_commitment} THEN 'granted_on_commitment' ELSE r.state END", "r.decided_at",
        source=decided.format("'granted', 'denied', 'returned', 'not_accepted'"),
        document_no="coalesce(r.decision_no, '')", told="coalesce(r.decision_reason, '')",
        until=f"CASE WHEN {on_commitment} THEN r.verify_by END",
    )  # fmt: skip
    _event("'withdrawn'", "coalesce(r.decided_at, c.stage_at)", recorded_by="c.changed_by",
           source="review r JOIN dispatch_case c ON c.id = r.case_id WHERE r.state = 'withdrawn'")  # fmt: skip
    _event("'commitment_verified'", "r.verified_at",
           source=f"review r {_told('verified')} WHERE r.verified_at IS NOT NULL")  # fmt: skip
    _event("'decision_revoked'", "r.revoked_at",
           source=f"review r {_told('decision_revoked')} WHERE r.revoked_at IS NOT NULL")  # fmt: skip
