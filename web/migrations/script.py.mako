"""${message}."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import db
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}

EXTENSIONS = (${'"ltree", "btree_gist", "pg_trgm"' if down_revision is None else ''})


def upgrade() -> None:
    """What this step adds."""
    for extension in EXTENSIONS:
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """And how it is taken back. Extensions stay: others may use them."""
    ${downgrades if downgrades else "pass"}
