"""Reference data has a version: another is drawn whenever the network, catalogue, calendar, texts or clock change."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = (
    "area_evaluation", "calendar_day", "calendar_version", "clock_offset", "division", "division_alias",
    "implementation", "lesson", "matter", "matter_prerequisite", "opening_hours", "requirement", "service_centre",
    "text_version",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "reference_version",
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("version", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_reference_version")),
    )
    op.execute(
        """
        CREATE FUNCTION draw_reference_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('INSERT INTO %I.reference_version (table_name, version) VALUES (%L, gen_random_uuid())'
                           ' ON CONFLICT (table_name) DO UPDATE SET version = excluded.version',
                           TG_TABLE_SCHEMA, TG_TABLE_NAME);
            RETURN NULL;
        END $$
        """
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_draws_reference_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION draw_reference_version()"
        )
        op.execute(f"INSERT INTO reference_version (table_name, version) VALUES ('{table}', gen_random_uuid())")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_draws_reference_version ON {table}")
    op.execute("DROP FUNCTION draw_reference_version()")
    op.drop_table("reference_version")
