"""The team's pages: the morning, the inbox, cases and projects with their acts, people, answers, runs, messages."""

from web.pages.team.agent import agent
from web.pages.team.agents import agents
from web.pages.team.answers import tickets
from web.pages.team.blueprint import bp
from web.pages.team.board import board
from web.pages.team.calibration import calibration
from web.pages.team.case_messages import write_message
from web.pages.team.cases import case
from web.pages.team.catalogue import catalog
from web.pages.team.claims import claims_page
from web.pages.team.corrections import corrections
from web.pages.team.courier_desk import courier_reports
from web.pages.team.evaluations import evaluations
from web.pages.team.evidence import evidence
from web.pages.team.find import find
from web.pages.team.hotline import hotline
from web.pages.team.inbox import inbox
from web.pages.team.lists import lists
from web.pages.team.map import map_page
from web.pages.team.morning import home
from web.pages.team.outbox import outbox_page
from web.pages.team.owed import owed
from web.pages.team.path import path
from web.pages.team.people import new_person
from web.pages.team.projects import projects
from web.pages.team.relief import relief
from web.pages.team.report import report
from web.pages.team.roster import roster
from web.pages.team.runs import runs
from web.pages.team.saved_views import save_view
from web.pages.team.staffing import staffing_teams
from web.pages.team.unplaced import unplaced

__all__ = [
    "agent",
    "agents",
    "board",
    "bp",
    "calibration",
    "case",
    "catalog",
    "claims_page",
    "corrections",
    "courier_reports",
    "evaluations",
    "evidence",
    "find",
    "home",
    "hotline",
    "inbox",
    "lists",
    "map_page",
    "new_person",
    "outbox_page",
    "owed",
    "path",
    "projects",
    "relief",
    "report",
    "roster",
    "runs",
    "save_view",
    "staffing_teams",
    "tickets",
    "unplaced",
    "write_message",
]
