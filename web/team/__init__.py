"""The team's pages: the morning, the inbox, cases and projects with their acts, people, answers, runs, messages."""

from web.team.agents import agents
from web.team.answers import tickets
from web.team.blueprint import bp
from web.team.calibration import calibration
from web.team.cases import case
from web.team.catalog import catalog
from web.team.evaluations import evaluations
from web.team.inbox import inbox
from web.team.lists import lists
from web.team.map import map_page
from web.team.morning import home
from web.team.outbox import outbox_page
from web.team.path import path
from web.team.people import new_person
from web.team.projects import projects
from web.team.relief import relief
from web.team.report import report
from web.team.runs import runs

__all__ = [
    "agents",
    "bp",
    "calibration",
    "case",
    "catalog",
    "evaluations",
    "home",
    "inbox",
    "lists",
    "map_page",
    "new_person",
    "outbox_page",
    "path",
    "projects",
    "relief",
    "report",
    "runs",
    "tickets",
]
