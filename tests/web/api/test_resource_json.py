"""Views in JSON: the API answers with these keys, whatever the dataclass behind them is called."""

from typing import Any

from dispatch.views.case_resource import CaseDetail, CaseParcelWithCode, CaseSummary
from dispatch.views.courier_day import CourierDayView
from dispatch.views.custody_resource import CustodyChain
from dispatch.views.project_resource import ProjectAssignment, ProjectDetail
from tests.web.typed_values import a_value
from web.wiring.resource_json import as_json


def keys(view: type) -> dict[str, Any]:
    """The keys of a view in JSON, and those of what stands in it."""
    return shape(as_json(a_value(view)))


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value if isinstance(one, dict)]
    return None


def names(words: str) -> dict[str, None]:
    return dict.fromkeys(words.split())


PARCEL = names("waybill leg state holder payer seal_no day stop_id") | {"contents": [], "window": []}


def test_a_case_of_a_list():
    assert keys(CaseSummary) == names(
        "id case_no stage stage_words created_at project_no project enterprise committed_due_on expected_on"
    )


MEMBER = names("assignment_id role counter agent_id name office_phone since until recorded_at")


def test_a_case():
    assert keys(CaseDetail) == names(
        "case_no version stage stage_words stage_at project_no project outcome pickup_way delivery_way free"
    ) | {
        "promise": names("legal_due_on committed_due_on expected_on expected_share is_estimate"),
        "agent": names("name agent_no office_phone acting hotline"),
        "reviews": [
            names(
                "id matter name state authority counter statutory_limit committed_limit filed_at accepted_at"
                " acceptance_no due_is_provisional legal_due_at committed_due_at decided_at decision_no lamp grade"
                " joint_group joint_no joint_due_at"
            )
            | {"events": [names("id kind happened_on happened_at recorded_at document_no corrects stands")]}
        ],
        "materials": [
            names("id name mode state defect deferrable owed_by given_at waived_because")
            | {"events": [names("id kind happened_on happened_at recorded_at document_no corrects stands")]}
        ],
        "parcels": [PARCEL],
        "delivery": [names("id kind happened_on happened_at recorded_at document_no corrects stands")],
        "timeline": [names("at kind stage actor words")],
    }


def test_only_the_enterprise_reads_a_code():
    assert keys(CaseParcelWithCode) == PARCEL | {"code": None}


def test_a_project_and_its_assignment():
    assert keys(ProjectDetail) == names(
        "project_no project_code name family state version phase investment_wan enterprise division created_at"
    ) | {
        "team": [MEMBER],
        "former": [MEMBER],
        "cases": [names("case_no stage created_at")],
    }
    assert keys(ProjectAssignment) == names("project_no state agent_id chosen_by locked") | {"reason": {}}


def test_a_chain_names_its_holders_from_and_to():
    link = names("seq at device_at action from to by digest") | {"proofs": []}
    assert keys(CustodyChain) == names("waybill holder length head") | {"links": [link]}


def test_a_couriers_day():
    parcel = names("waybill last4 leg recipient needs_code holder") | {"contents": []}
    stop = names(
        "id position kind kind_words state to_do version label address contact phone lon lat eta_s service_s pieces"
        " attempts act needs_code needs_identity needs_inspection pin_proposed ended_at failed_words release_s"
    ) | {
        "window": [], "proofs": {}, "maps": [names("name url")], "parcels": [parcel],
        "coming": names("why said_at") | {"window": []},
    }  # fmt: skip
    run = names("id version state starts_s ends_s changed") | {"stops": [stop]}
    report = names(
        "id event_id version kind kind_words why what courier where stop_id note happened_at recorded_at skew_s state"
        " state_words answer settled_by is_seen may_take"
    ) | {"waybills": [], "proofs": []}
    word = names("id courier words said_at said_by read_at")
    assert keys(CourierDayView) == names("on courier courier_id shift_ends_s ended_at_s hand_in_by") | {
        "runs": [run], "reports": [report], "words": [word],
    }  # fmt: skip
