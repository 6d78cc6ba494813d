"""Synchronous commit: a commit that must survive a crash is on disk before the server answers."""

from sqlalchemy import ColumnElement, case, func

SYNCHRONOUS_COMMIT: ColumnElement[str] = case(
    (
        func.current_setting("synchronous_commit") == "off",
        func.set_config("synchronous_commit", "on", True),
    ),
    else_="",
)
"""Select it in a transaction whose loss would mean a second SMS or a lost receipt. A stricter setting stays.

With ``synchronous_commit = off`` a killed database forgets the last half second. A claim forgotten after its call
leaves a message that looks as if it was never sent.
"""
