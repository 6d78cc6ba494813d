"""Moves are shown by names: the project, the place of a liaison's counter, who acts and who would."""

from dispatch.assignment.propose import Move
from dispatch.cases.project import Project, TeamRole
from dispatch.views.moves import move_lines
from tests.dispatch.builders import County, an_assigned_case


def test_a_move_names_its_project_its_counter_and_its_people(county: County) -> None:
    case, _ = an_assigned_case(county)
    project = county.session.get_one(Project, case.project_id)
    first, second = county.agents[:2]
    lead = Move(project.id, project.project_no, TeamRole.LEAD, "", first.id, second.id, {"terms": {"load": 3}})
    liaison = Move(project.id, project.project_no, TeamRole.LIAISON, county.division.code, None, first.id, {})
    one, other = move_lines(county.session, [lead, liaison])
    assert (one.project, one.project_no, one.counter) == (project.name, project.project_no, "")
    assert (one.before, one.after, one.terms) == (first.name, second.name, (("load", 3),))
    assert (other.counter, other.before, other.after) == (county.division.name, "", first.name)


def test_no_moves_are_no_lines(county: County) -> None:
    assert move_lines(county.session, []) == ()
