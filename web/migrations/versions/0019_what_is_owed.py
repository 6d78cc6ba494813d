"""What is owed: a table derived from the facts; who upgrades to the newest tables fills it by the program's own fold."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "obligation",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("division_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_kind", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("opened_by", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(length=40), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["dispatch_case.id"], name=op.f("fk_obligation_case_id_dispatch_case")),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_obligation_division_id_division")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_obligation_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("kind", "subject", "subject_id", name=op.f("uq_obligation_kind_subject_subject_id")),
    )
    op.create_index(op.f("ix_obligation_case_id"), "obligation", ["case_id"])
    op.create_index("ix_obligation_open_due", "obligation", ["division_id", "due_at"], postgresql_where=OPEN)
    op.create_index("ix_obligation_open_project", "obligation", ["project_id"], postgresql_where=OPEN)
    op.create_index("ix_obligation_open_owner", "obligation", ["owner_kind", "owner_id"], postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_table("obligation")
