"""The enterprise's pages: its projects, asking for proxy handling, where each case is, what is next, rating."""

from web.enterprise.blueprint import bp
from web.enterprise.cases import the_case
from web.enterprise.contact import tickets
from web.enterprise.intake import intake_begin
from web.enterprise.legs import book_pickup
from web.enterprise.papers import give_paper
from web.enterprise.pin import point
from web.enterprise.projects import home

__all__ = ["book_pickup", "bp", "give_paper", "home", "intake_begin", "point", "the_case", "tickets"]
