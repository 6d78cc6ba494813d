"""Loading: what a page shows of one case or project is read with it, in one statement instead of one a collection."""

from sqlalchemy.orm import joinedload

from dispatch.cases.case import Case, Material
from dispatch.cases.project import Delegation, Project
from dispatch.cases.review import Review

PROJECT_PARTS = (
    joinedload(Project.enterprise),
    joinedload(Project.members),
    joinedload(Project.delegations).joinedload(Delegation.recipients),
    joinedload(Project.intermediaries),
)
"""A project's applicant, team, letters and firms: a few rows of each."""

CASE_PARTS = (joinedload(Case.project).options(*PROJECT_PARTS), joinedload(Case.contact), joinedload(Case.messages))
"""A case's project with all that, whom to call, and what was written to each other."""

REVIEW_PARTS = (joinedload(Review.matter), joinedload(Review.events), joinedload(Review.pauses))
"""A review's matter, events and pauses."""

MATERIAL_PARTS = (joinedload(Material.facts), joinedload(Material.requirement))
"""What was written down of a material, and what the catalogue says of it."""
