"""Conditions are predicates: when a matter applies, a prerequisite holds, a paper is needed; results have names."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def _words(name: str) -> sa.Column:  # type: ignore[type-arg]  # of strings, which SQLAlchemy says by a value
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def upgrade() -> None:
    # A catalogue of an earlier release keeps its rows: what has no condition always holds, until it is imported anew.
    for name in ("applies_when", "limit_chain", "result_name_en"):
        op.add_column("matter", _words(name))
    op.alter_column("matter", "result_note", new_column_name="result_name")
    op.add_column(
        "matter_prerequisite", sa.Column("before_decision", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("matter_prerequisite", _words("holds_when"))
    for name in ("needed_when", "source", "else_source", "name_en"):
        op.add_column("requirement", _words(name))
    op.drop_column("requirement", "condition")
    op.drop_constraint("uq_requirement_matter_id_name", "requirement", type_="unique")
    op.create_unique_constraint(
        op.f("uq_requirement_matter_id_name_needed_when"), "requirement", ["matter_id", "name", "needed_when"]
    )


def downgrade() -> None:
    # A paper that stands twice under different conditions is told apart by its name before conditions go.
    op.execute(
        "UPDATE requirement AS later SET name = later.name || ' (' || later.needed_when || ')' FROM requirement AS first "
        "WHERE first.matter_id = later.matter_id AND first.name = later.name AND first.id < later.id"
    )
    op.drop_constraint(op.f("uq_requirement_matter_id_name_needed_when"), "requirement", type_="unique")
    op.create_unique_constraint(op.f("uq_requirement_matter_id_name"), "requirement", ["matter_id", "name"])
    op.add_column("requirement", _words("condition"))
    for name in ("needed_when", "source", "else_source", "name_en"):
        op.drop_column("requirement", name)
    op.drop_column("matter_prerequisite", "holds_when")
    op.drop_column("matter_prerequisite", "before_decision")
    op.alter_column("matter", "result_name", new_column_name="result_note")
    for name in ("applies_when", "limit_chain", "result_name_en"):
        op.drop_column("matter", name)
