"""The enterprise's pages: its projects, asking for proxy handling, where each case is, what is next, rating."""

from web.pages.enterprise.batches import batches
from web.pages.enterprise.blueprint import bp
from web.pages.enterprise.case_messages import write_message
from web.pages.enterprise.cases import the_case
from web.pages.enterprise.contact import tickets
from web.pages.enterprise.intake import intake_begin
from web.pages.enterprise.intake_matters import intake_facts
from web.pages.enterprise.intake_review import intake_review
from web.pages.enterprise.intake_site import intake_site
from web.pages.enterprise.legs import book_pickup
from web.pages.enterprise.papers import give_paper
from web.pages.enterprise.pin import point
from web.pages.enterprise.project_facts import project_facts
from web.pages.enterprise.projects import home
from web.pages.enterprise.receipts import receipt

__all__ = [
    "batches",
    "book_pickup",
    "bp",
    "give_paper",
    "home",
    "intake_begin",
    "intake_facts",
    "intake_review",
    "intake_site",
    "point",
    "project_facts",
    "receipt",
    "the_case",
    "tickets",
    "write_message",
]
