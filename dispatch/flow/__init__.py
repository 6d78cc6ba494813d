"""The one path of a case, in the order it happens: each step finds, decides, changes and tells.

The caller opens the transaction; a step that raises has changed nothing once the caller rolls back."""

from dispatch.flow.closing import end_of_case, evaluate
from dispatch.flow.daily import (
    accept_by_silence,
    close_unrated,
    escalate_referrals,
    remind_supplements,
    return_overdue,
)
from dispatch.flow.doorstep import Doorstep, report
from dispatch.flow.exits import bring_home, refuse, revoke, withdraw
from dispatch.flow.intake import Intake, Site, open_case, request
from dispatch.flow.legs import (
    Appointment,
    announce,
    book_delivery,
    book_exchange,
    book_pickup,
    collected,
    deliver_electronically,
    delivered,
    fetched,
    hand_in,
    receive,
    reschedule_leg,
    send_on,
    unplan,
)
from dispatch.flow.parts import next_number, parcels_of, reviews_of
from dispatch.flow.planning import ask_for_plan, ask_to_replan, commit_plan, papers_at
from dispatch.flow.reviewing import (
    accept,
    ask_supplement,
    decide,
    extend,
    grant_on_commitment,
    pause,
    refile,
    refresh_dates,
    refuse_acceptance,
    resume,
    simulate_review,
    submit,
    verify_commitment,
)
from dispatch.flow.screening import Person, correct, delegate, give_material, prescreen
from dispatch.flow.staffing import accept_referral, add_liaison, assign, refer

__all__ = [  # noqa: RUF022 - in the order of the path
    # 1 the enterprise asks
    "Site", "Intake", "request", "open_case",
    # 2 somebody acts for it
    "assign", "add_liaison", "refer", "accept_referral",
    # 3 the papers are read once
    "Person", "delegate", "give_material", "prescreen", "correct",
    # 4 the originals come in
    "Appointment", "book_pickup", "reschedule_leg", "announce", "unplan", "ask_for_plan", "ask_to_replan",
    "commit_plan", "papers_at",
    "Doorstep", "report", "collected", "hand_in", "receive",
    # 5 filed and decided, matter by matter
    "simulate_review", "submit", "accept", "ask_supplement", "refile", "pause", "resume", "extend",
    "refuse_acceptance", "decide", "grant_on_commitment", "verify_commitment", "refresh_dates",
    # 6 the results go home
    "book_delivery", "book_exchange", "send_on", "delivered", "deliver_electronically", "fetched",
    # 7 graded and closed
    "evaluate", "end_of_case",
    # side exits, and what a day brings by itself
    "withdraw", "refuse", "revoke", "bring_home",
    "accept_by_silence", "close_unrated", "return_overdue", "remind_supplements", "escalate_referrals",
    # asked by others
    "next_number", "reviews_of", "parcels_of",
]  # fmt: skip
