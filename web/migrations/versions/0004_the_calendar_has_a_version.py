"""The calendar has a version: the database draws another whenever a day or opening hours change."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DRAWN_AFTER = {
    "calendar_day": "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    "opening_hours": "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    "service_centre": "UPDATE OF centre_no",
}


def upgrade() -> None:
    op.create_table(
        "calendar_version",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_calendar_version_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_version")),
    )
    op.execute(
        """
        CREATE FUNCTION draw_calendar_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('INSERT INTO %I.calendar_version (id, version) VALUES (1, gen_random_uuid())'
                           ' ON CONFLICT (id) DO UPDATE SET version = excluded.version', TG_TABLE_SCHEMA);
            RETURN NULL;
        END $$
        """
    )
    for table, change in DRAWN_AFTER.items():
        op.execute(
            f"CREATE TRIGGER {table}_draws_calendar_version AFTER {change} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION draw_calendar_version()"
        )
    op.execute("INSERT INTO calendar_version (id, version) VALUES (1, gen_random_uuid())")


def downgrade() -> None:
    for table in DRAWN_AFTER:
        op.execute(f"DROP TRIGGER {table}_draws_calendar_version ON {table}")
    op.execute("DROP FUNCTION draw_calendar_version()")
    op.drop_table("calendar_version")
