"""Durable: a commit that is believed must be written, also on a server whose habit is to answer first."""

from sqlalchemy import ColumnElement, case, func

KEPT: ColumnElement[str] = case(
    (
        func.current_setting("synchronous_commit") == "off",
        func.set_config("synchronous_commit", "on", True),
    ),
    else_="",
)
"""Select it in a transaction whose loss would be a second SMS or a lost receipt; a stricter setting stays as it is.

With ``synchronous_commit = off`` a killed database forgets the last half second. A claim forgotten after its call is a
message that looks as if it had never been sent.
"""
