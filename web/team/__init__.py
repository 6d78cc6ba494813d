"""The team's pages: the morning, the inbox, cases and projects with their acts, people, answers, runs, messages."""

from web.team.agents import agents
from web.team.answers import tickets
from web.team.blueprint import bp
from web.team.cases import case
from web.team.inbox import inbox
from web.team.map import map
from web.team.morning import home
from web.team.projects import projects
from web.team.runs import runs

__all__ = ["agents", "bp", "case", "home", "inbox", "map", "projects", "runs", "tickets"]
