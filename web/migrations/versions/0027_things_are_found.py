"""An enterprise is found by the initials of its name, a case by the number of a notice."""

import sqlalchemy as sa
from alembic import op
from pypinyin import lazy_pinyin

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_review_event_document_no", "review_event", ["document_no"], postgresql_where=sa.text("document_no <> ''")
    )
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, name FROM enterprise WHERE pinyin = ''")).all():
        spelled = " ".join(part.strip().lower() for part in lazy_pinyin(row.name) if part.strip())
        connection.execute(sa.text("UPDATE enterprise SET pinyin = :p WHERE id = :id"), {"p": spelled, "id": row.id})


def downgrade() -> None:
    op.drop_index("ix_review_event_document_no", "review_event")
