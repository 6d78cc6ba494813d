"""The evidence register: what an enterprise holds already, and which materials rest on it."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

WORDS = ("number",)
TEXTS = ("reference", "withdrawal_reason")
RESULTS = """
INSERT INTO evidence (enterprise_id, project_id, name, origin, number, issued_on, reference, review_id, recorded_at,
                      recorded_by, withdrawal_reason)
SELECT project.enterprise_id, CASE matter.family WHEN 'business_opening' THEN NULL ELSE project.id END, btrim(named),
       'result', coalesce(review.decision_no, ''), (review.decided_at AT TIME ZONE 'Asia/Shanghai')::date, '', review.id,
       review.decided_at, '', ''
FROM review
JOIN matter ON matter.id = review.matter_id
JOIN dispatch_case ON dispatch_case.id = review.case_id
JOIN project ON project.id = dispatch_case.project_id
CROSS JOIN LATERAL regexp_split_to_table(matter.result_name, '[;；]') AS named
WHERE review.state = 'granted' AND review.revoked_at IS NULL AND btrim(named) <> ''
"""
PAPERS = """
INSERT INTO evidence (enterprise_id, project_id, name, origin, number, reference, sha256, material_id, recorded_at,
                      recorded_by, withdrawal_reason)
SELECT project.enterprise_id, project.id, material.name, 'paper', '', '', material.sha256, material.id,
       coalesce(material.given_at, dispatch_case.created_at), '', ''
FROM material
JOIN dispatch_case ON dispatch_case.id = material.case_id
JOIN project ON project.id = dispatch_case.project_id
WHERE material.state = 'accepted' AND material.mode = 'copy' AND material.sha256 IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("enterprise_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in WORDS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("issued_on", "valid_until")),
        sa.Column("sha256", sa.String(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("review_id", "material_id", "account_id")),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_evidence_enterprise_id_enterprise")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_evidence_project_id_project")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_evidence_review_id_review")),
        sa.ForeignKeyConstraint(["material_id"], ["material.id"], name=op.f("fk_evidence_material_id_material")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    for name in ("enterprise_id", "project_id", "review_id", "material_id"):
        op.create_index(op.f(f"ix_evidence_{name}"), "evidence", [name])
    op.create_index(
        "ix_evidence_standing", "evidence", ["enterprise_id", "name"], postgresql_where=sa.text("withdrawn_at IS NULL")
    )
    op.add_column("material", sa.Column("evidence_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_material_evidence_id_evidence"), "material", "evidence", ["evidence_id"], ["id"])
    op.create_index(op.f("ix_material_evidence_id"), "material", ["evidence_id"])
    op.execute(RESULTS)
    op.execute(PAPERS)


def downgrade() -> None:
    op.drop_index(op.f("ix_material_evidence_id"), "material")
    op.drop_constraint(op.f("fk_material_evidence_id_evidence"), "material", type_="foreignkey")
    op.drop_column("material", "evidence_id")
    op.drop_table("evidence")
