"""Who acts for a project: the agent's contact card (联系卡), and who stands in today."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from agents.contact_card import ContactCard, contact_card
from agents.leave import acting_agent
from agents.network import Division, centre_of
from agents.roster import Agent
from dispatch.cases.project import (
    Project,
)
from dispatch.catalogue.calendar_tables import hours_in_words
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.shanghai_time import in_shanghai


@dataclass(frozen=True, slots=True)
class Helper:
    """Who acts for a project: the agent's card, and who stands in today."""

    card: ContactCard
    stand_in_today: str | None
    centre: str


def helper_of(session: Session, project: Project, *, at: datetime) -> Helper | None:
    """The contact card (联系卡) of the project's agent; None while nobody is assigned."""
    if (lead := project.lead) is None:
        return None
    agent, today = session.get_one(Agent, lead.agent_id), in_shanghai(at).date()
    division = session.get_one(Division, project.home_division_id)
    centre = centre_of(session, division)
    hours = hours_in_words(calendar_of(session), today, centre.centre_no if centre else None)
    acting = acting_agent(session, agent, today)
    return Helper(
        card=contact_card(session, agent, today, hours=hours, acting=acting),
        stand_in_today=None if acting.id == agent.id else acting.name,
        centre=centre.name if centre else f"{division.name}政务服务中心",
    )
