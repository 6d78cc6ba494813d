"""By hand: everything that is owed, from plain SQL over the facts and a count of days; none of the program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg

from tests.dispatch.cases.recomputed_by_hand import DAY, ZONE, Days, Row, rows_of

ORIGINALS = ("original_returned", "original_kept")
AT_HOME = ("prescreened", "pickup_planned")
ARRIVED = ("delivered", "evaluated", "closed")
ENDED = ("evaluated", "closed", "refused", "withdrawn")
DECIDED = ("granted", "denied", "returned", "not_accepted", "withdrawn", "revoked")
OUT = ("on_the_way", "at_centre", "with_authority")
INWARD = ("pickup", "exchange", "counter")
AFTER_THE_END = ("papers_home", "verify_grade", "rectify_grade", "commitment", "message", "ticket")
LEADS = """
WITH RECURSIVE chain AS (
  SELECT m.id, m.project_id, m.since, m.replaced_at, m.recorded_at AS first_at FROM project_member m
   WHERE m.role = 'lead' AND m.corrects IS NULL
  UNION ALL
  SELECT m.id, m.project_id, m.since, m.replaced_at, chain.first_at
    FROM project_member m JOIN chain ON m.corrects = chain.id)
SELECT chain.*, c.id AS case_id, chain.project_id = c.project_id AS is_own
  FROM chain JOIN project p ON p.id = chain.project_id
  JOIN dispatch_case c ON c.project_id IN (p.id, p.merged_into_id)
 WHERE chain.replaced_at IS NULL ORDER BY is_own DESC, chain.id DESC
"""
TICKET_DAYS = {"question": 1, "help": 1, "complaint": 5, "suggestion": 5}
Key = tuple[str, str, int]


@dataclass(frozen=True)
class OwedByHand:
    """Whether it is open, who owes it, and by when; ``begins_at``: where its time is still to come."""

    is_open: bool
    owner: tuple[str, int | None]
    due_at: datetime | None
    begins_at: datetime | None = None


def owed_by_hand(connection: psycopg.Connection[Any]) -> dict[Key, OwedByHand]:
    """What every case, ticket, courier and the calendar owe or owed."""
    days, found = Days.read(connection), {}
    of_case = {
        name: _by(rows_of(connection, query), "case_id")
        for name, query in {
            "events": "SELECT * FROM case_event ORDER BY id",
            "reviews": "SELECT * FROM review ORDER BY id",
            "pauses": "SELECT p.*, r.case_id FROM review_pause p JOIN review r ON r.id = p.review_id ORDER BY p.id",
            "materials": "SELECT * FROM material WHERE state NOT IN ('held', 'not_needed') ORDER BY id",
            "parcels": 'SELECT p.*, s."on", s.windows, run.courier_id FROM parcel p LEFT JOIN stop s'
            " ON s.id = p.stop_id LEFT JOIN run ON run.id = s.run_id WHERE p.state <> 'cancelled' ORDER BY p.id",
            "grades": "SELECT r.*, e.case_id FROM rectification r JOIN evaluation e ON e.id = r.evaluation_id",
            "notes": "SELECT * FROM contact_note WHERE follow_up_on IS NOT NULL AND replaced_at IS NULL",
            "letters": "SELECT * FROM case_message ORDER BY id",
            "leads": LEADS,
            "offers": "SELECT r.*, (SELECT max(id) FROM dispatch_case c WHERE c.project_id = r.project_id) AS case_id"
            " FROM referral r WHERE r.offered_at IS NOT NULL",
        }.items()
    }
    cases = rows_of(
        connection,
        "SELECT c.*, p.home_division_id, p.enterprise_id, (SELECT agent_id FROM project_member m WHERE"
        " m.project_id = p.id AND m.role = 'lead' AND m.until IS NULL) AS lead_id"
        " FROM dispatch_case c JOIN project p ON p.id = c.project_id",
    )
    for case in cases:
        one = CaseByHand(case, days, **{name: rows[case["id"]] for name, rows in of_case.items()})
        for key, owed in one.owes():
            ended = case["stage"] in ENDED and key[0] not in AFTER_THE_END
            found[key] = OwedByHand(False, owed.owner, owed.due_at) if ended else owed
    found |= dict(_beside_cases(connection, days))
    return found


def _by(rows: Sequence[Row], column: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _end(on: date) -> datetime:
    return datetime.combine(on, time(23, 59, 59), ZONE)


@dataclass
class CaseByHand:
    """One case with the rows that belong to it."""

    case: Row
    days: Days
    events: Sequence[Row]
    reviews: Sequence[Row]
    pauses: Sequence[Row]
    materials: Sequence[Row]
    parcels: Sequence[Row]
    grades: Sequence[Row]
    offers: Sequence[Row]
    leads: Sequence[Row]
    notes: Sequence[Row]
    letters: Sequence[Row]

    def within(self, at: datetime, working_days: int) -> datetime:
        return self.days.closes(self.days.after(self.days.counts_on(at, None), working_days), None)

    @property
    def stage(self) -> str:
        return str(self.case["stage"])

    @property
    def team(self) -> tuple[str, int]:
        return "team", self.case["home_division_id"]

    @property
    def agent(self) -> tuple[str, int]:
        return self.team if self.case["lead_id"] is None else ("person", self.case["lead_id"])

    @property
    def enterprise(self) -> tuple[str, int]:
        return "enterprise", self.case["enterprise_id"]

    def came_into(self, *stages: str) -> datetime | None:
        """When the case came into one of these stages, the last time."""
        since, before = None, None
        line = [(event["stage"], event["at"]) for event in self.events] + [(self.stage, self.case["stage_at"])]
        for stage, at in line:
            if stage == "withdrawn" and self.stage != "withdrawn":
                continue  # it was taken back
            if stage in stages and before not in stages:
                since = self._truly(at) if stage == "assigned" and before in {None, "requested"} else at
            before = stage
        return since

    def _truly(self, written: datetime) -> datetime:
        """Since when the agent acts whose assignment was written down first at this moment."""
        begun = [lead["since"] for lead in self.leads if lead["first_at"] == written]
        return max(begun[0], self.case["created_at"]) if begun else written

    def owes(self) -> Iterator[tuple[Key, OwedByHand]]:
        case_id = self.case["id"]
        for kind, is_open, owner, due_at in self._of_the_case():
            yield (kind, "case", case_id), OwedByHand(is_open, owner, due_at)
        for review in self.reviews:
            for kind, is_open, owner, due_at in self._of_a_review(review):
                yield (kind, "review", review["id"]), OwedByHand(is_open, owner, due_at)
        for parcel in self.parcels:
            for kind, is_open, owner, due_at in self._of_a_parcel(parcel):
                yield (kind, "parcel", parcel["id"]), OwedByHand(is_open, owner, due_at)
        for material in self.materials:
            if material["owed_by"] is not None:
                is_open = material["supplied_at"] is None and material["state"] == "deferred"
                owed = OwedByHand(is_open, self.enterprise, _end(material["owed_by"]))
                yield ("deferred", "material", material["id"]), owed
        for offer in self.offers:
            owner = self.team if offer["escalated_at"] is not None else ("person", offer["to_agent_id"])
            is_open = offer["accepted_at"] is None and offer["declined_at"] is None
            owed = OwedByHand(is_open, owner, self.within(offer["offered_at"], 1))
            yield ("referral", "referral", offer["id"]), owed
        for note in self.notes:
            owed = OwedByHand(note["followed_at"] is None, self.agent, _end(note["follow_up_on"]))
            yield ("follow_up", "contact_note", note["id"]), owed
        waiting: list[int] = []
        for letter in self.letters:
            if letter["withdrawn_at"] is not None:
                continue
            waiting = [*waiting, letter["id"]] if letter["is_theirs"] else []
        for letter in self.letters:
            if letter["is_theirs"]:
                is_open = letter["id"] in waiting and letter["settled_at"] is None
                owed = OwedByHand(is_open, self.agent, self.within(letter["written_at"], 1))
                yield ("message", "case_message", letter["id"]), owed
        yield from self._of_grades()

    def _of_the_case(self) -> Iterator[tuple[str, bool, tuple[str, int], datetime | None]]:
        yield "first_answer", self.stage == "requested", self.team, self.within(self.case["created_at"], 1)
        if (assigned := self.came_into("assigned")) is not None:
            yield "prescreen", self.stage == "assigned", self.agent, self.within(assigned, 2)
        if self.came_into("correction") is not None:
            yield "correction", self.stage == "correction", self.enterprise, None
        on_paper = any(material["mode"] in ORIGINALS for material in self.materials)
        if self.case["pickup_way"] != "electronic" and on_paper and self.came_into(*AT_HOME) is not None:
            comes = any(parcel["leg"] in INWARD for parcel in self.parcels)
            yield "booking", self.stage in AT_HOME and not comes, self.enterprise, None
        if (delivered := self.came_into("delivered")) is not None:
            due_at = self.within(self.case["delivered_at"] or delivered, 15)
            yield "grade", self.stage == "delivered", self.enterprise, due_at

    def _of_a_review(self, review: Row) -> Iterator[tuple[str, bool, tuple[str, int | None], datetime | None]]:
        authority = "authority", review["authority_division_id"]
        begins = "prescreened" if self.case["pickup_way"] == "electronic" else "collected"
        if self.came_into(begins) is not None and self.stage not in ("assigned", "correction"):
            waits = review["filed_at"] is None and not (review["state"] in DECIDED and review["decided_at"])
            yield "filing", waits, self.agent, None
        if review["state"] == "supplement":
            yield "supplement", True, self.enterprise, None
        if review["filed_at"] is not None and review["correction_due_at"] is not None:
            yield "silence", review["state"] == "submitted", authority, review["correction_due_at"]
        if review["accepted_at"] is not None:
            yield "decision", review["decided_at"] is None, authority, review["committed_due_at"]
        if mine := [pause for pause in self.pauses if pause["review_id"] == review["id"]]:
            stands = mine[-1]["ended_on"] is None and not (review["state"] in DECIDED and review["decided_at"])
            yield "pause_end", stands, authority, _end(mine[-1]["expected_end_on"])
        if review["decided_at"] is not None and review["deliver_by"] is not None:
            yield "delivery", self.stage not in ARRIVED, self.agent, review["deliver_by"]
        if review["decided_at"] is not None and review["verify_by"] is not None:
            open_ = review["verified_at"] is None and review["revoked_at"] is None
            yield "commitment", open_, authority, _end(review["verify_by"])

    def _of_a_parcel(self, parcel: Row) -> Iterator[tuple[str, bool, tuple[str, int], datetime | None]]:
        visit = None
        if parcel["on"] is not None and parcel["windows"]:
            latest = max(closes for _, closes in parcel["windows"])
            visit = datetime.combine(parcel["on"], time(0), ZONE) + timedelta(seconds=latest)
        if parcel["leg"] in ("pickup", "exchange") and visit is not None:
            owner = self.team if parcel["courier_id"] is None else ("courier", parcel["courier_id"])
            yield "pickup", parcel["state"] == "booked", owner, visit
        if self.stage not in ENDED:
            return
        ended = self.case["ended_at"] or self.case["stage_at"]
        home = parcel["moved_at"] if parcel["state"] == "handed_over" else None
        if parcel["state"] in OUT or (home is not None and home >= ended):
            next_day = self.days.closes(self.days.first(ended.astimezone(ZONE).date() + DAY), None)
            yield "papers_home", home is None, self.team, next_day if visit is None else max(next_day, visit)

    def _of_grades(self) -> Iterator[tuple[Key, OwedByHand]]:
        for one in self.grades:
            waits = one["verified_at"] is None and one["state"] in ("opened", "appealed")
            yield (
                ("verify_grade", "rectification", one["id"]),
                OwedByHand(waits, self.team, self.within(one["opened_at"], 1)),
            )
            if not waits:
                due_at = self.within(one["opened_at"], 15)
                yield (
                    ("rectify_grade", "rectification", one["id"]),
                    OwedByHand(one["answered_at"] is None, self.team, due_at),
                )


def _beside_cases(connection: psycopg.Connection[Any], days: Days) -> Iterator[tuple[Key, OwedByHand]]:
    for row in rows_of(connection, "SELECT * FROM ticket"):
        owner = "team" if row["owner_agent_id"] is None else "person", row["owner_agent_id"] or row["division_id"]
        begins = days.counts_on(row["opened_at"], None)
        due_at = days.closes(days.after(begins, TICKET_DAYS[row["kind"]]), None)
        yield ("ticket", "ticket", row["id"]), OwedByHand(row["answered_at"] is None, owner, due_at)
        if row["answered_at"] is not None and (row["from_12345"] or row["kind"] == "complaint"):
            begins = days.counts_on(row["answered_at"], None)
            due_at = days.closes(days.after(begins, 3), None)
            yield ("call_back", "ticket", row["id"]), OwedByHand(row["called_back_at"] is None, owner, due_at)
    for row in rows_of(connection, "SELECT max(day) AS day FROM calendar_day WHERE status = 'published'"):
        if row["day"] is not None:
            begins = datetime(row["day"].year, 11, 1, tzinfo=ZONE)
            owed = OwedByHand(True, ("team", None), _end(date(row["day"].year, 12, 31)), begins)
            yield ("calendar", "year", row["day"].year + 1), owed
    couriers = (
        'SELECT c.id, c.division_id, (SELECT max(s."on") FROM shift s WHERE s.courier_id = c.id) AS last'
        " FROM courier c WHERE c.active"
    )
    for row in rows_of(connection, couriers):
        last = row["last"]
        begins = None if last is None else datetime.combine(last - timedelta(days=10), time(0), ZONE)
        owed = OwedByHand(True, ("team", row["division_id"]), None if last is None else _end(last), begins)
        yield ("shifts", "courier", row["id"]), owed
