"""Promise: when a path will be done, as dates with their probability; when to say it anew, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from dispatch.core.localized_text import DayText, ListText, LocalizedText
from dispatch.core.working_days import Calendar
from dispatch.forecast.correlated_noise import Sample
from dispatch.forecast.path_sampling import PathSampler, ends
from dispatch.path.schedule import MatterProgress

SHARE = 0.85  # the probability behind the date that is said aloud
WORTH_SAYING_WD = 1
KEPT = 101


# --- the outlook ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What past promises taught about probabilities: a stated share and the share that came true, rising together."""

    stated: tuple[float, ...] = (0.0, 1.0)
    true: tuple[float, ...] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.stated) != len(self.true) or list(self.stated) != sorted(self.stated):
            raise ValueError("a recalibration pairs rising shares")
        if list(self.true) != sorted(self.true):
            raise ValueError("a recalibration must not turn the order of dates round")

    def truth_of(self, stated: float) -> float:
        return float(np.interp(stated, self.stated, self.true))

    def stated_for(self, true: float) -> float:
        return float(np.interp(true, self.true, self.stated))


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """How many working days from its start a path will have taken, as sorted samples."""

    finishes: Sample
    recalibration: Recalibration = field(default_factory=Recalibration)

    @property
    def mean_wd(self) -> float:
        return float(self.finishes.mean())

    def chance_by_wd(self, days: float) -> float:
        """The probability of being done after that many working days at the latest."""
        share = np.searchsorted(self.finishes, days + 1e-6, side="right") / len(self.finishes)
        return self.recalibration.truth_of(float(share))

    def wd_for(self, share: float) -> int:
        """The first working day by which it is done with at least this probability."""
        if not 0 < share < 1:
            raise ValueError(f"a probability lies between 0 and 1, not at {share}")
        stated = min(max(self.recalibration.stated_for(share), 1e-9), 1.0)
        place = min(len(self.finishes) - 1, max(0, int(np.ceil(stated * len(self.finishes) - 1e-6)) - 1))
        return int(np.ceil(self.finishes[place]))

    def kept(self) -> tuple[int, ...]:
        """What a database keeps of it: the working days at every hundredth, to be judged when all is over."""
        places = np.linspace(0, len(self.finishes) - 1, KEPT).round().astype(int)
        return tuple(int(np.ceil(days)) for days in self.finishes[places])


def recalled(kept: Sequence[int], recalibration: Recalibration | None = None) -> Outlook:
    """The outlook that ``kept`` was made of, to a hundredth."""
    if not kept or list(kept) != sorted(kept):
        raise ValueError("a kept outlook is a rising list of working days")
    return Outlook(np.array(kept, dtype=np.float32), recalibration or Recalibration())


def outlook(ready: PathSampler, recalibration: Recalibration | None = None) -> Outlook:
    """Draw the course and keep when its goals are all done."""
    return Outlook(np.sort(ends(ready)), recalibration or Recalibration())


# --- the promise ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promise:
    """What was said: an expected date (预计办结) and the probability behind it. Never a guarantee."""

    expected_on: date
    share: float
    said_on: date
    is_estimate: bool = False
    reason: str = ""
    is_from_cases: bool = True  # False while nothing like it was ever observed: then no past year may be cited

    def words(self, today: date) -> str:
        """The third line, after 法定时限 and 部门承诺时限, as every page and message words it."""
        ground = (
            LocalizedText("近一年同类项目，100个中约%(n)s个按时", n=round(self.share * 100)) if self.is_from_cases
            else LocalizedText("尚无同类项目记录，按承诺时限估算")
        )  # fmt: skip
        return LocalizedText(
            "预计%(day)s前办结（%(ground)s）；%(hint)s公示、评审等法定程序不计入；审批结果由审批部门依法作出",
            day=DayText(self.expected_on, today), ground=ground,
            hint=LocalizedText("含未公布的放假安排，为估算；") if self.is_estimate else "",
        )  # fmt: skip


def promise(
    view: Outlook,
    calendar: Calendar,
    start_on: date,
    today: date,
    *,
    share: float = SHARE,
    is_from_cases: bool = True,
) -> Promise:
    """The date by which it is done with ``share`` probability, and the probability that this very date has."""
    days = view.wd_for(share)
    on = calendar.add_working_days(start_on, days)
    estimate = calendar.is_estimate(start_on, on)
    return Promise(on, view.chance_by_wd(days), today, estimate, is_from_cases=is_from_cases)


def expected_dates(ready: PathSampler, calendar: Calendar, start_on: date, *, share: float = SHARE) -> dict[str, date]:
    """Each matter's own expected day, for the drawing and the table: done by then with this probability."""
    ordered = np.sort(ready.draw(), axis=1)
    place = min(ordered.shape[1] - 1, int(np.ceil(share * ordered.shape[1])) - 1)
    days = np.ceil(ordered[:, place]).astype(int)
    return {code: calendar.add_working_days(start_on, int(n)) for code, n in zip(ready.codes, days, strict=True)}


def chance_by(view: Outlook, calendar: Calendar, start_on: date, by: date) -> float:
    """The probability that a path begun on ``start_on`` is done by that day."""
    return view.chance_by_wd(calendar.working_days_between(start_on, by))


def reissue(said: Promise | None, now: Promise, calendar: Calendar, reason: str) -> Promise | None:
    """The promise to say anew with its reason, or None when it moved by less than a working day."""
    if said is None:
        return replace(now, reason=reason)
    if abs(calendar.working_days_between(said.expected_on, now.expected_on)) < WORTH_SAYING_WD:
        return None
    return replace(now, reason=reason)


def why_moved(
    before: Mapping[str, MatterProgress], after: Mapping[str, MatterProgress], names: Mapping[str, str]
) -> str:
    """What happened between two looks, in words that an enterprise understands."""
    said: list[str] = []
    for code, name in names.items():
        was, became = before.get(code, MatterProgress()), after.get(code, MatterProgress())
        if was == became:
            continue
        if became.decided_on is not None and was.decided_on is None:
            said.append(LocalizedText("%(matter)s已于%(day)s办结", matter=name, day=DayText(became.decided_on)))
        elif became.accepted_on is not None and was.accepted_on is None:
            said.append(LocalizedText("%(matter)s已受理", matter=name))
        elif became.due_on != was.due_on:
            said.append(LocalizedText("%(matter)s的法定期限有变", matter=name))
    return ListText(said, "；") if said else LocalizedText("按最新办理进度重新估算")


def why_later(
    before: Mapping[str, MatterProgress], after: Mapping[str, MatterProgress], names: Mapping[str, str], today: date
) -> str:
    """What made it later, each a fact that its reader can check; empty when it was only reckoned anew."""
    said: list[str] = []
    for code, name in names.items():
        was, now = before.get(code, MatterProgress()), after.get(code, MatterProgress())
        due = was.due_on or now.due_on
        if now.decided_on is not None:
            if due is not None and was.decided_on is None and now.decided_on > due:
                said.append(LocalizedText("%(matter)s晚于期限办结", matter=name))
        elif was.due_on is not None and now.due_on is not None and now.due_on > was.due_on:
            said.append(LocalizedText("%(matter)s期限延至%(day)s", matter=name, day=DayText(now.due_on)))
        elif now.due_on is not None and now.due_on < today:
            said.append(LocalizedText("%(matter)s超期未办结", matter=name))
    return ListText(said, "；")
