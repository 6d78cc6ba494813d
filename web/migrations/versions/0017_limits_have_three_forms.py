"""Limits have three forms: none (NULL), at once, and days of one kind or the other; 0 no longer means all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

FORM = "'^(immediate|[1-9][0-9]{0,2}(wd|cal))$'"
MATTER = ("statutory_limit", "committed_limit", "today_limit", "legal_minimum", "area_limit")

# What the catalogue said of each matter in working days, and what it is: a figure that stood for "none", "at once" or
# calendar days becomes that. Other figures are a division's own and stay working days.
KNOWN: tuple[tuple[str, int, str | None, int, str | None], ...] = (
    ("IND-101", 0, "immediate", 1, "immediate"),
    ("IND-102", 20, "20wd", 7, "7wd"),
    ("IND-103", 21, None, 0, None),
    ("IND-104", 20, "20wd", 5, "5wd"),
    ("IND-105", 30, "30wd", 5, "5wd"),
    ("IND-106", 20, "20wd", 15, "15wd"),
    ("IND-107", 21, "30cal", 20, "20wd"),
    ("IND-108", 10, "10wd", 10, "10wd"),
    ("IND-109", 20, "20wd", 10, "10wd"),
    ("IND-110", 10, None, 8, "8wd"),
    ("IND-111", 20, None, 10, "10wd"),
    ("IND-112", 20, "20wd", 12, "12wd"),
    ("IND-113", 15, "15cal", 10, "10wd"),
    ("IND-114", 10, None, 8, "8wd"),
    ("IND-115", 5, None, 5, "5wd"),
    ("IND-116", 10, None, 10, "10wd"),
    ("IND-201", 20, None, 12, "12wd"),
    ("IND-202", 20, "20wd", 5, "5wd"),
    ("IND-203", 20, "20wd", 7, "7wd"),
    ("IND-204", 20, "20wd", 10, "10wd"),
    ("IND-301", 15, "10wd", 10, "7wd"),
    ("IND-302", 15, "15wd", 10, "10wd"),
    ("IND-303", 10, "10wd", 7, "7wd"),
    ("IND-304", 14, None, 0, None),
    ("IND-305", 5, None, 3, "3wd"),
    ("IND-306", 5, None, 3, "3wd"),
    ("IND-307", 20, "20wd", 5, "5wd"),
    ("IND-308", 5, "7cal", 5, "5wd"),
    ("IND-401", 8, None, 8, "8wd"),
    ("IND-402", 20, None, 5, "5wd"),
    ("IND-403", 15, "15wd", 7, "7wd"),
    ("IND-404", 20, None, 3, "3wd"),
    ("IND-405", 20, None, 3, "3wd"),
    ("IND-406", 15, None, 1, "1wd"),
    ("IND-407", 14, "20cal", 7, "7wd"),
    ("IND-408", 30, "30wd", 5, "5wd"),
    ("BIZ-01", 0, "immediate", 0, "immediate"),
    ("BIZ-02", 3, "3wd", 1, "1wd"),
    ("BIZ-03", 3, None, 1, "1wd"),
    ("BIZ-04", 2, "2wd", 1, "1wd"),
    ("BIZ-05", 11, "15cal", 1, "1wd"),
    ("BIZ-06", 5, None, 1, "1wd"),
    ("BIZ-07", 0, None, 1, "1wd"),
    ("REG-01", 0, "immediate", 0, "immediate"),
    ("REG-02", 0, None, 1, "1wd"),
    ("REG-03", 0, None, 1, "1wd"),
    ("REG-04", 0, None, 1, "1wd"),
    ("REG-05", 30, "30wd", 2, "2wd"),
    ("REG-06", 0, None, 1, "1wd"),
)
LEAST = {"IND-103": "30cal"}
AREA = {"IND-106": "immediate", "IND-107": "10wd", "IND-108": "immediate", "IND-109": "5wd"}


def upgrade() -> None:
    op.drop_constraint(op.f("ck_matter_days"), "matter", type_="check")
    op.drop_constraint(op.f("ck_implementation_not_negative"), "implementation", type_="check")
    for table, columns in (("matter", MATTER), ("implementation", MATTER[:2]), ("review", MATTER[:2])):
        for column in columns:
            op.add_column(table, sa.Column(column, sa.String(length=12), nullable=True))
    for side in ("statutory", "committed"):
        for table in ("matter", "implementation", "review"):
            op.execute(f"UPDATE {table} SET {side}_limit = {side}_wd || 'wd' WHERE {side}_wd > 0")
    op.execute("UPDATE matter SET today_limit = committed_now_wd || 'wd' WHERE committed_now_wd > 0")
    op.execute(
        "UPDATE matter SET area_limit = simplified_wd || 'wd' WHERE area_effect = 'simplify' AND simplified_wd > 0"
    )
    for known in KNOWN:
        _what_it_is(*known)
    op.execute(
        "UPDATE review SET same_day = true WHERE 'immediate' IN (statutory_limit, committed_limit) AND decided_at IS NULL"
    )
    for column in (
        "statutory_days",
        "statutory_unit",
        "statutory_wd",
        "committed_wd",
        "committed_now_wd",
        "simplified_wd",
    ):
        op.drop_column("matter", column)
    for table in ("implementation", "review"):
        op.drop_column(table, "statutory_wd")
        op.drop_column(table, "committed_wd")
    op.create_check_constraint(op.f("ck_implementation_not_negative"), "implementation", "legal_fee_cents >= 0")
    op.add_column("review", sa.Column("is_provisional", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("review", "is_provisional", server_default=None)
    for table, columns in (("matter", MATTER), ("implementation", MATTER[:2])):
        rule = " AND ".join(f"{column} ~ {FORM}" for column in columns)
        op.create_check_constraint(op.f(f"ck_{table}_limits"), table, rule)


def _what_it_is(code: str, statutory_wd: int, statutory: str | None, committed_wd: int, committed: str | None) -> None:
    """The limits of one matter and of its reviews that follow the catalogue."""
    for side, figure, form in (("statutory", statutory_wd, statutory), ("committed", committed_wd, committed)):
        values = {"code": code, "figure": figure, "form": form}
        for table, key in (
            ("matter", "matter.id"),
            ("review", "review.matter_id"),
            ("implementation", "implementation.matter_id"),
        ):
            wanted = f"{key} IN (SELECT id FROM matter WHERE code = :code) AND {side}_wd IN (:figure, 0)"
            update = sa.text(f"UPDATE {table} SET {side}_limit = :form WHERE {wanted}")
            op.get_bind().execute(update, values)
    more = {"code": code, "least": LEAST.get(code), "area": AREA.get(code)}
    op.get_bind().execute(
        sa.text(
            "UPDATE matter SET legal_minimum = :least, area_limit = coalesce(:area, area_limit) WHERE code = :code"
        ),
        more,
    )


def downgrade() -> None:
    op.drop_column("review", "is_provisional")
    op.drop_constraint(op.f("ck_matter_limits"), "matter", type_="check")
    op.drop_constraint(op.f("ck_implementation_limits"), "implementation", type_="check")
    op.drop_constraint(op.f("ck_implementation_not_negative"), "implementation", type_="check")
    figure = "coalesce(substring({} from '^[0-9]+')::bigint, 0)"
    for table in ("implementation", "review", "matter"):
        for side in ("statutory", "committed"):
            op.add_column(table, sa.Column(f"{side}_wd", sa.BigInteger(), nullable=True))
            op.execute(f"UPDATE {table} SET {side}_wd = {figure.format(f'{side}_limit')}")
    for code, statutory_wd, statutory, committed_wd, committed in KNOWN:
        for side, days, form in (("statutory", statutory_wd, statutory), ("committed", committed_wd, committed)):
            for table, key in (("matter", "matter.id"), ("review", "review.matter_id")):
                wanted = (
                    f"{key} IN (SELECT id FROM matter WHERE code = :code) AND {side}_limit IS NOT DISTINCT FROM :form"
                )
                update = sa.text(f"UPDATE {table} SET {side}_wd = :days WHERE {wanted}")
                op.get_bind().execute(update, {"code": code, "days": days, "form": form})
    op.execute("UPDATE implementation SET statutory_wd = NULL WHERE statutory_limit IS NULL")
    op.execute("UPDATE implementation SET committed_wd = NULL WHERE committed_limit IS NULL")
    for name, source in (
        ("committed_now_wd", "today_limit"),
        ("simplified_wd", "area_limit"),
        ("statutory_days", "statutory_limit"),
    ):
        op.add_column("matter", sa.Column(name, sa.BigInteger(), nullable=True))
        op.execute(f"UPDATE matter SET {name} = {figure.format(source)}")
    op.add_column("matter", sa.Column("statutory_unit", sa.String(length=32), nullable=True))
    op.execute("UPDATE matter SET statutory_unit = CASE WHEN statutory_limit LIKE '%cal' THEN 'cal' ELSE 'wd' END")
    for name in (
        "statutory_wd",
        "committed_wd",
        "committed_now_wd",
        "simplified_wd",
        "statutory_days",
        "statutory_unit",
    ):
        op.alter_column("matter", name, nullable=False)
    for name in ("statutory_wd", "committed_wd"):
        op.alter_column("review", name, nullable=False)
    op.create_check_constraint(
        op.f("ck_matter_days"), "matter",
        "statutory_days >= 0 AND statutory_wd >= 0 AND committed_wd >= 0 AND committed_now_wd >= 0 AND simplified_wd >= 0",
    )  # fmt: skip
    op.create_check_constraint(
        op.f("ck_implementation_not_negative"), "implementation",
        "statutory_wd >= 0 AND committed_wd >= 0 AND legal_fee_cents >= 0",
    )  # fmt: skip
    for table, columns in (("matter", MATTER), ("implementation", MATTER[:2]), ("review", MATTER[:2])):
        for column in columns:
            op.drop_column(table, column)
