"""Case request: the enterprise of a demo project, its contact, and what they ask for."""

from datetime import datetime
from decimal import Decimal
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.names import sort_key
from agents.network import Division
from dispatch.acts.asking import RequestProject, SiteGiven
from dispatch.cases.project import Contact, Enterprise
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.ids import ContactId
from web.demo.case_plans import CasePlan, Goal
from web.demo.context import COUNTY, DemoContext
from web.demo.fake_data import Firm


def add_enterprise(session: Session, firm: Firm, town: Division, *, at: datetime) -> tuple[Enterprise, Contact]:
    """The firm as an enterprise of the town, and the person to speak to."""
    enterprise = Enterprise(
        name=firm.name, pinyin=sort_key(firm.name), credit_code=firm.credit_code, division_id=town.id, created_at=at
    )
    session.add(enterprise)
    session.flush()
    contact = Contact(
        enterprise_id=enterprise.id,
        name=firm.contact,
        phone=firm.phone,
        phone_hash=db.keyed_hash(firm.phone),
        created_at=at,
    )
    session.add(contact)
    session.flush()
    return enterprise, contact


def _project_code(draw: Random) -> str:
    serial = draw.randrange(10**13, 10**14)
    return f"26{serial % 11 + 1:02d}-{COUNTY}-{serial // 10**7 % 99 + 1:02d}-01-{serial % 10**6:06d}"


def draw_request(context: DemoContext, plan: CasePlan, firm: Firm, site: SiteGiven, contact: Contact) -> RequestProject:
    """What the firm asks for: an industrial project with its investment, or an opening or registration without."""
    draw = context.fake.random
    known = set(context.session.scalars(select(Matter.code).where(Matter.code.in_(plan.matters))))
    titles = {
        Family.BUSINESS_OPENING: f"{firm.name}设立",
        Family.PROPERTY_REGISTRATION: f"{firm.name}不动产登记",
    }
    invests = plan.family not in titles
    return RequestProject(
        name=titles.get(plan.family, firm.project),
        family=plan.family,
        site=site,
        matters=tuple(code for code in plan.matters if code in known),
        investment_wan=Decimal(draw.choice((800, 2000, 5000, 12000, 30000))) if invests else None,
        project_code=_project_code(draw) if invests else None,
        language="ja" if plan.goal is Goal.NOBODY_FITS else "zh",
        contact_id=ContactId(contact.id),
    )
