"""What a case waits for from the enterprise itself."""

from enum import StrEnum

from dispatch.cases.case import Way
from dispatch.cases.stages import Stage


class Turn(StrEnum):
    """What waits for the enterprise itself; NOTHING when somebody else has to act."""

    NOTHING = ""
    SIGN_LETTER = "sign_letter"
    GIVE_PAPERS = "give_papers"
    CORRECT = "correct"
    BOOK_PICKUP = "book_pickup"
    BRING_PAPERS = "bring_papers"
    BOOK_DELIVERY = "book_delivery"
    FETCH_RESULTS = "fetch_results"
    RATE = "rate"


TURN_LABEL = {
    Turn.NOTHING: "",
    Turn.SIGN_LETTER: "请签署委托书",
    Turn.GIVE_PAPERS: "请上传材料",
    Turn.CORRECT: "请补正材料",
    Turn.BOOK_PICKUP: "请预约上门揽收",
    Turn.BRING_PAPERS: "请把原件送到窗口",
    Turn.BOOK_DELIVERY: "请预约结果投递",
    Turn.FETCH_RESULTS: "请到窗口领取结果",
    Turn.RATE: "请评价",
}


def turn_of(
    stage: Stage, *, pickup: Way, delivery: Way, wanted: int, has_letter: bool, pickups: int, deliveries: int
) -> Turn:
    """Whose move it is. ``wanted``: copies not given yet; ``pickups``, ``deliveries``: legs that are booked."""
    match stage:
        case Stage.REQUESTED | Stage.ASSIGNED:
            return Turn.SIGN_LETTER if not has_letter else Turn.GIVE_PAPERS if wanted else Turn.NOTHING
        case Stage.CORRECTION:
            return Turn.CORRECT
        case Stage.PRESCREENED if not has_letter:
            return Turn.SIGN_LETTER
        case Stage.PRESCREENED if not pickups and pickup is not Way.ELECTRONIC:
            return Turn.BOOK_PICKUP if pickup is Way.COURIER else Turn.BRING_PAPERS
        case Stage.DECIDED if not deliveries and delivery is not Way.ELECTRONIC:
            return Turn.BOOK_DELIVERY if delivery is Way.COURIER else Turn.FETCH_RESULTS
        case Stage.DELIVERED:
            return Turn.RATE
    return Turn.NOTHING
