"""Case request: the enterprise of a demo project, its contact, and what they ask for."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.names import sort_key
from agents.network import Division
from dispatch.acts.project_intake import ProjectIntake, ProjectSite
from dispatch.cases.project import Contact, Enterprise
from dispatch.catalogue.matter import Family, Matter
from web.demo.case_plans import CasePlan
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


def draw_intake(context: DemoContext, plan: CasePlan, firm: Firm, site: ProjectSite) -> ProjectIntake:
    """What the firm asks for: an industrial project with its investment, or an opening or registration without."""
    draw = context.fake.random
    known = set(context.session.scalars(select(Matter.code).where(Matter.code.in_(plan.matters))))
    titles = {
        Family.BUSINESS_OPENING: f"{firm.name}设立",
        Family.PROPERTY_REGISTRATION: f"{firm.name}不动产登记",
    }
    invests = plan.family not in titles
    return ProjectIntake(
        name=titles.get(plan.family, firm.project),
        family=plan.family,
        site=site,
        matters=tuple(code for code in plan.matters if code in known),
        investment_wan=draw.choice((800, 2000, 5000, 12000, 30000)) if invests else None,
        project_code=f"26{COUNTY}89{draw.randrange(10**13, 10**14)}" if invests else None,
    )
