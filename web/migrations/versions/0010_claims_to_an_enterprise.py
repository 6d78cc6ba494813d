"""A claim to an enterprise is approved by somebody: who is confirmed, who owns, who filed, whose contact it is.

Who was let in before stays confirmed, and the first of each enterprise owns it: an upgrade takes nobody's work away.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("confirmed_at", sa.DateTime(timezone=True)))
    op.add_column("account", sa.Column("is_owner", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("account", "is_owner", server_default=None)
    op.add_column("account_event", sa.Column("document", sa.String()))
    op.add_column("contact", sa.Column("account_id", sa.BigInteger()))
    op.add_column("contact", sa.Column("left_at", sa.DateTime(timezone=True)))
    op.create_foreign_key(op.f("fk_contact_account_id_account"), "contact", "account", ["account_id"], ["id"])
    op.create_index(op.f("ix_contact_account_id"), "contact", ["account_id"])
    op.add_column("project", sa.Column("filed_by", sa.BigInteger()))
    op.add_column("ticket", sa.Column("filed_by", sa.BigInteger()))
    op.execute("UPDATE account SET confirmed_at = created_at WHERE role = 'enterprise' AND state = 'active'")
    op.execute(
        "UPDATE account SET is_owner = true WHERE id IN (SELECT min(id) FROM account"
        " WHERE role = 'enterprise' AND state = 'active' AND enterprise_id IS NOT NULL GROUP BY enterprise_id)"
    )
    op.execute(
        "UPDATE contact SET account_id = account.id FROM account WHERE account.enterprise_id = contact.enterprise_id"
        " AND account.phone_hash = contact.phone_hash AND account.state = 'active'"
    )


def downgrade() -> None:
    op.drop_column("ticket", "filed_by")
    op.drop_column("project", "filed_by")
    op.drop_column("contact", "left_at")
    op.drop_column("contact", "account_id")
    op.drop_column("account_event", "document")
    op.drop_column("account", "is_owner")
    op.drop_column("account", "confirmed_at")
