"""What a scarce slot is worth is called by the field's term: a shadow price."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _renamed(before: str, after: str, columns: dict[str, str]) -> None:
    op.rename_table(before, after)
    for old, new in columns.items():
        op.alter_column(after, old, new_column_name=new, existing_type=sa.BigInteger())
    op.execute(f"ALTER TABLE {after} RENAME CONSTRAINT pk_{before} TO pk_{after}")
    op.execute(f"ALTER TABLE {after} RENAME CONSTRAINT fk_{before}_agent_id_agent TO fk_{after}_agent_id_agent")


def upgrade() -> None:
    _renamed("slot_price", "shadow_price", {"price": "value", "priced_at": "computed_at"})


def downgrade() -> None:
    _renamed("shadow_price", "slot_price", {"value": "price", "computed_at": "priced_at"})
