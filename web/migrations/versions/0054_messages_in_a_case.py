"""Enterprise and office write to each other inside a case."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

TABLE = "case_message"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("is_theirs", sa.Boolean(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("read_at", moment, nullable=True),
        sa.Column("read_by", sa.String(), nullable=True),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("settled_at", moment, nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_because", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["dispatch_case.id"], name=op.f("fk_case_message_case_id_dispatch_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_message")),
    )
    op.create_index(op.f("ix_case_message_case_id"), TABLE, ["case_id"])


def downgrade() -> None:
    op.execute("DELETE FROM obligation WHERE kind = 'message'")
    op.drop_table(TABLE)
