"""The command line: ``flask --app wsgi …``; one file a command, which calls one room and prints what it did."""

from web.commands.accounts import accounts
from web.commands.assign import assign
from web.commands.catalog import catalog
from web.commands.check import check
from web.commands.custody import custody
from web.commands.demo import demo
from web.commands.keys import keys
from web.commands.messages import messages
from web.commands.network import network
from web.commands.packages import packages
from web.commands.runs import runs
from web.commands.simulate import simulate
from web.commands.staffing import staffing
from web.commands.tables import database
from web.commands.working_days import calendar

COMMANDS = (
    database, network, catalog, calendar, accounts, assign, staffing, runs, messages, custody, check, keys, demo,
    simulate, packages,
)  # fmt: skip
