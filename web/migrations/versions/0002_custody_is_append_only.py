"""Custody is append-only: the database itself refuses to change or delete a handover."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_custody_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'custody is append-only: % of handover % is refused', TG_OP, OLD.id;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER handover_append_only BEFORE UPDATE OR DELETE ON handover
        FOR EACH ROW EXECUTE FUNCTION refuse_custody_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER handover_append_only ON handover")
    op.execute("DROP FUNCTION refuse_custody_change()")
