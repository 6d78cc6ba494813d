"""A catalogue is imported again under cases that live: their papers stay, whatever became of the requirements."""

import csv
from pathlib import Path

from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.importing import ImportCatalogue
from dispatch.cases.case import Material
from dispatch.cases.derived import differences
from dispatch.catalogue.imports import REQUIREMENTS_FILE
from dispatch.catalogue.matter import Matter, Requirement
from dispatch.core.actor import SYSTEM
from tests.dispatch.builders import TEN, County, a_prescreened_case


def test_papers_stay_when_their_requirements_change_or_go(county: County, tmp_path: Path) -> None:
    session = county.session
    case, _ = a_prescreened_case(county)
    papers = [paper for paper in case.materials if paper.requirement_id is not None]
    changed, gone = papers[0], next(paper for paper in papers if paper.name != papers[0].name)
    before = [(paper.id, paper.name, paper.mode, paper.state) for paper in case.materials]
    codes = dict(session.execute(select(Matter.id, Matter.code)).all())
    assert changed.matter_id is not None and gone.matter_id is not None
    with open(REQUIREMENTS_FILE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [row for row in rows if (row["matter_code"], row["name"]) != (codes[gone.matter_id], gone.name)]
    for row in kept:
        if (row["matter_code"], row["name"]) == (codes[changed.matter_id], changed.name):
            row["needed_when"] = "technical_upgrade"
    anew = tmp_path / "requirements.csv"
    with anew.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    perform(session, ImportCatalogue((anew,)), SYSTEM)
    session.expire_all()
    assert [(paper.id, paper.name, paper.mode, paper.state) for paper in case.materials] == before
    assert gone.requirement_id is None
    now = session.get_one(Requirement, changed.requirement_id)
    assert (now.matter_id, now.name, now.needed_when) == (changed.matter_id, changed.name, "technical_upgrade")
    assert list(differences(session, at=TEN)) == []
    perform(session, ImportCatalogue((Path(REQUIREMENTS_FILE),)), SYSTEM)
    named = select(Requirement.name).join(Material, Material.requirement_id == Requirement.id)
    assert session.scalar(named.where(Material.id == gone.id)) == gone.name
