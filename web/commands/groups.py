"""The command line: ``flask --app wsgi …``; one file a command, which calls one room and prints what it did."""

from web.commands.assign import assign
from web.commands.catalog import catalog
from web.commands.custody import custody
from web.commands.demo import demo
from web.commands.keys import keys
from web.commands.messages import messages
from web.commands.network import network
from web.commands.runs import runs
from web.commands.simulate import simulate
from web.commands.tables import database
from web.commands.working_days import calendar

COMMANDS = (database, network, catalog, calendar, assign, runs, messages, custody, keys, demo, simulate)
