"""A paper outlives its requirement: a catalogue that asks for it no more, or otherwise, is imported all the same."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

NAME = "fk_material_requirement_id_requirement"


def upgrade() -> None:
    op.drop_constraint(NAME, "material", type_="foreignkey")
    op.create_foreign_key(NAME, "material", "requirement", ["requirement_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_material_requirement_id", "material", ["requirement_id"])


def downgrade() -> None:
    op.drop_index("ix_material_requirement_id", "material")
    op.drop_constraint(NAME, "material", type_="foreignkey")
    op.create_foreign_key(NAME, "material", "requirement", ["requirement_id"], ["id"])
