"""Names, project codes and amounts have one form; an operator may confirm a credit code that a licence shows."""

import sqlalchemy as sa
from alembic import op

from dispatch.core.canonical import canonical_name
from dispatch.core.project_code import WrongProjectCode, project_code

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for noun in ("enterprise", "project"):
        _one_spelling(sa.table(noun, sa.column("id"), sa.column("name")))
    _one_form_of_project_codes()
    op.alter_column("project", "investment_wan", type_=sa.Numeric(12, 4), existing_type=sa.BigInteger())
    op.create_table(
        "confirmed_credit_code",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=False),
        sa.Column("enterprise_name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmed_credit_code")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_confirmed_credit_code_credit_code")),
    )


def _one_spelling(noun: sa.TableClause) -> None:
    """What would be left without a name keeps the one it has."""
    session = op.get_bind()
    for row in session.execute(sa.select(noun.c.id, noun.c.name)).all():
        name = canonical_name(row.name)
        if name not in {"", row.name}:
            session.execute(noun.update().where(noun.c.id == row.id).values(name=name))


def _one_form_of_project_codes() -> None:
    """Of two that are one code the older project has it; what is no code of the platform stays as it is."""
    project = sa.table("project", sa.column("id"), sa.column("project_code"))
    session = op.get_bind()
    stored = sa.select(project.c.id, project.c.project_code).where(project.c.project_code.is_not(None))
    rows = session.execute(stored.order_by(project.c.id)).all()
    taken = {row.project_code for row in rows}
    for row in rows:
        try:
            code = project_code(row.project_code)
        except WrongProjectCode:
            continue
        if code not in taken:
            taken.add(code)
            session.execute(project.update().where(project.c.id == row.id).values(project_code=code))


def downgrade() -> None:
    op.drop_table("confirmed_credit_code")
    op.alter_column("project", "investment_wan", type_=sa.BigInteger(), existing_type=sa.Numeric(12, 4))
