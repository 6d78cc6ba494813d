"""Applicability: which matters a project's facts call for, as a table that an operator could have written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dispatch.core.limit import DayUnit, Limit, read_limit
from dispatch.path.area_effects import EvaluatedSite
from dispatch.path.build_path import applicable
from dispatch.path.edits import Relief
from dispatch.path.matter_node import MatterNode


class Land(StrEnum):
    """How the land comes to the project: 出让, 划拨, or none is needed (existing plant, tenant)."""

    GRANTED = "granted"
    ALLOCATED = "allocated"
    NONE = "none"


class Initiation(StrEnum):
    """备案 or 核准."""

    FILING = "filing"
    APPROVAL = "approval"


class Eia(StrEnum):
    """Which environmental paper the project needs: 登记表, 报告表, 报告书."""

    REGISTRATION = "registration"
    FORM = "form"
    REPORT = "report"


class Discharge(StrEnum):
    """排污许可: 登记管理, 简化管理, 重点管理."""

    REGISTRATION = "registration"
    SIMPLIFIED = "simplified"
    KEY = "key"


class RegistrationKind(StrEnum):
    """首次, 转移, 变更, 抵押, 注销."""

    FIRST = "first"
    TRANSFER = "transfer"
    CHANGE = "change"
    MORTGAGE = "mortgage"
    CANCELLATION = "cancellation"


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides which matters apply. The defaults are an ordinary factory on granted land."""

    land: Land = Land.GRANTED
    initiation: Initiation = Initiation.FILING
    new_construction_land: bool = False
    energy_tce: float = 0.0
    power_kwh: float = 0.0
    eia: Eia = Eia.FORM
    site_ha: float = 2.0
    earthworks_m3: float = 10_000.0
    in_river_area: bool = False
    in_geohazard_area: bool = False
    minerals_checked: bool = True
    land_use_changed: bool = False
    relics_survey: bool = False
    seismic_listed: bool = False
    climate_listed: bool = False
    social_risk: bool = False
    has_non_production_buildings: bool = True
    touches_public_works: bool = True
    low_risk_plant: bool = False
    large_works: bool = False
    special_fire: bool = False
    explosion_hazard: bool = False
    state_money: bool = False
    soil_leaves_site: bool = True
    basement_built: bool = False
    discharge: Discharge = Discharge.SIMPLIFIED
    hires_staff: bool = True
    wants_bank: bool = False
    registration: RegistrationKind = RegistrationKind.FIRST

    def __post_init__(self) -> None:
        for name in ("energy_tce", "power_kwh", "site_ha", "earthworks_m3"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} cannot be negative")


def site_as_used(site: EvaluatedSite, facts: Facts) -> EvaluatedSite:
    """The site as this project uses it: another use than the zone's evaluation looked at shares nothing."""
    return replace(site, use_unchanged=not facts.land_use_changed)


@dataclass(frozen=True, slots=True)
class Is:
    """A condition on one fact: it is one of these values."""

    fact: str
    values: tuple[object, ...]

    def holds(self, facts: Facts) -> bool:
        return getattr(facts, self.fact) in self.values


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A condition on one fact: it reaches a threshold."""

    fact: str
    threshold: float

    def holds(self, facts: Facts) -> bool:
        return bool(getattr(facts, self.fact) >= self.threshold)


Condition = Is | AtLeast


def yes(fact: str) -> Is:
    return Is(fact, (True,))


def no(fact: str) -> Is:
    return Is(fact, (False,))


# A matter applies when every condition of one line holds. A matter that stands in no row always applies.
APPLIES: dict[str, tuple[tuple[Condition, ...], ...]] = {
    "IND-102": (
        (Is("initiation", (Initiation.APPROVAL,)),),
        (Is("land", (Land.ALLOCATED,)),),
        (yes("new_construction_land"),),
    ),
    "IND-103": ((Is("land", (Land.GRANTED,)),),),
    "IND-104": ((Is("land", (Land.GRANTED, Land.ALLOCATED)),),),
    "IND-105": ((Is("land", (Land.GRANTED, Land.ALLOCATED)),),),
    "IND-106": ((AtLeast("energy_tce", 1_000),), (AtLeast("power_kwh", 5_000_000),)),
    "IND-108": ((AtLeast("site_ha", 0.5),), (AtLeast("earthworks_m3", 1_000),)),
    "IND-109": ((yes("in_river_area"),),),
    "IND-110": ((yes("in_geohazard_area"),),),
    "IND-111": ((no("minerals_checked"),),),
    "IND-112": ((yes("relics_survey"),),),
    "IND-113": ((yes("seismic_listed"),),),
    "IND-114": ((yes("climate_listed"),),),
    "IND-116": ((yes("social_risk"),),),
    "IND-202": ((yes("has_non_production_buildings"),),),
    "IND-204": ((yes("touches_public_works"),),),
    "IND-301": ((no("low_risk_plant"),),),
    "IND-302": ((yes("special_fire"),),),
    "IND-303": ((yes("explosion_hazard"),),),
    "IND-307": ((yes("soil_leaves_site"),),),
    "IND-404": ((yes("basement_built"),),),
    "BIZ-05": ((yes("hires_staff"),),),
    "BIZ-06": ((yes("hires_staff"),),),
    "BIZ-07": ((yes("wants_bank"),),),
    "REG-02": ((Is("registration", (RegistrationKind.FIRST, RegistrationKind.CHANGE)),),),
    "REG-03": ((Is("registration", (RegistrationKind.TRANSFER,)),),),
    "REG-04": ((Is("registration", (RegistrationKind.FIRST, RegistrationKind.TRANSFER)),),),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """Other limits that a condition gives a matter; only those that are named change, None being "no limit"."""

    code: str
    when: tuple[Condition, ...]
    changes: Mapping[str, Limit | None]
    why: str

    def holds(self, facts: Facts) -> bool:
        return all(condition.holds(facts) for condition in self.when)


def _limits(statutory: str, committed: str) -> dict[str, Limit | None]:
    return {"statutory": read_limit(statutory), "committed": read_limit(committed), "today": read_limit(committed)}


AT_ONCE = _limits("immediate", "immediate")

# The first variant that holds is taken.
VARIANTS: tuple[Variant, ...] = (
    Variant("IND-101", (Is("initiation", (Initiation.APPROVAL,)),), _limits("20wd", ""), "核准项目法定20个工作日"),
    Variant("IND-107", (Is("eia", (Eia.REGISTRATION,)),), AT_ONCE, "登记表网上备案，即时"),
    Variant("IND-107", (Is("eia", (Eia.REPORT,)),), _limits("60cal", "40wd"), "报告书法定60日"),
    Variant("IND-108", (AtLeast("site_ha", 5),), {}, "报告书"),
    Variant("IND-108", (AtLeast("earthworks_m3", 50_000),), {}, "报告书"),
    Variant("IND-108", (), AT_ONCE, "报告表承诺制，当场办结"),
    Variant("IND-301", (yes("large_works"),), {"statutory": Limit(15)}, "大型工程15个工作日"),
    Variant("IND-304", (yes("state_money"),), {"legal_minimum": Limit(20, DayUnit.CALENDAR)}, "依法必须招标"),
    Variant("IND-407", (Is("discharge", (Discharge.REGISTRATION,)),), AT_ONCE, "登记管理即时"),
    Variant("IND-407", (Is("discharge", (Discharge.KEY,)),), _limits("30cal", ""), "重点管理30日"),
    Variant(
        "REG-05", (Is("registration", (RegistrationKind.MORTGAGE, RegistrationKind.CANCELLATION)),),
        {"committed": Limit(1), "today": Limit(1)}, "抵押、注销登记1个工作日",
    ),
)  # fmt: skip

# Reliefs that the catalogue's words allow without a condition that only the authority can judge; a lead may grant
# others by hand. A matter and the prerequisite that may follow until its decision, and matters decided on a promise.
EASED: dict[tuple[str, str], Relief] = {
    ("IND-201", "IND-103"): Relief.SIMULATED,  # turned formal on the contract's day
    ("IND-203", "IND-105"): Relief.DEFERRED,  # the land contract stands for the certificate
}
BY_COMMITMENT = frozenset({"IND-108", "IND-307", "IND-405"})


def applies(code: str, facts: Facts) -> bool:
    lines = APPLIES.get(code)
    return lines is None or any(all(condition.holds(facts) for condition in line) for line in lines)


def limits_for(matter: MatterNode, facts: Facts) -> MatterNode:
    """The matter with the limits that its variant gives."""
    for variant in VARIANTS:
        if variant.code == matter.code and variant.holds(facts):
            return replace(matter, **variant.changes)  # type: ignore[arg-type]  # only limits stand in a variant
    return matter


def matters_for(matters: Iterable[MatterNode], facts: Facts) -> tuple[MatterNode, ...]:
    """The matters that the facts call for, with the limits they give, joined past those that fall away."""
    catalogue = tuple(matters)
    kept = applicable(catalogue, [matter.code for matter in catalogue if applies(matter.code, facts)])
    return tuple(limits_for(matter, facts) for matter in kept)
