"""Project correction steps: the acts that put a project's own facts right, by the word that doors name each by."""

from collections.abc import Mapping
from types import MappingProxyType

from dispatch.acts.act import Act
from dispatch.acts.correcting_assignment import CorrectAssignment
from dispatch.acts.correcting_matters import CorrectFamily
from dispatch.acts.correcting_parties import CorrectContact, CorrectEnterprise
from dispatch.acts.correcting_site import CorrectSite
from dispatch.acts.project_corrections import CorrectedProject
from dispatch.cases.project_correction import ProjectPart

PROJECT_CORRECTIONS: Mapping[str, type[Act[CorrectedProject]]] = MappingProxyType(
    {
        ProjectPart.SITE.value: CorrectSite,
        ProjectPart.CONTACT.value: CorrectContact,
        ProjectPart.FAMILY.value: CorrectFamily,
        ProjectPart.ENTERPRISE.value: CorrectEnterprise,
        ProjectPart.ASSIGNMENT.value: CorrectAssignment,
    }
)
"""The part of a project by which a door names each correction."""
