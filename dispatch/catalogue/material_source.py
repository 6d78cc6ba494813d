"""Material sources: where a paper comes from - the enterprise, a register, a firm, or the result of another matter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from dispatch.catalogue.matter import Requirement
from dispatch.core.localized_text import LocalizedText

SOURCE_LABEL: Mapping[str, str] = MappingProxyType(
    {
        "enterprise": "企业提供",
        "register:e_licence": "电子营业执照",
        "register:identity": "身份信息",
        "register:tax": "税务信息",
        "register:property": "不动产登记信息",
        "register:social_insurance": "社会保险信息",
        "register:certificates": "电子证照库",
        "intermediary:surveyor": "测绘单位",
        "intermediary:eia_firm": "环评单位",
        "intermediary:energy_firm": "节能评估单位",
        "intermediary:water_soil_firm": "水土保持方案编制单位",
        "intermediary:flood_firm": "洪水影响评价单位",
        "intermediary:geology_firm": "地质灾害评估单位",
        "intermediary:geotechnical": "岩土勘察单位",
        "intermediary:seismic_firm": "地震安全性评价单位",
        "intermediary:climate_firm": "气候论证机构",
        "intermediary:stability_firm": "稳评机构",
        "intermediary:archaeology": "考古单位",
        "intermediary:designer": "设计单位",
        "intermediary:contractor": "施工单位",
        "intermediary:guarantor": "银行或担保机构",
    }
)
RESULT_OF = "result_of:"


def result_of(row: Requirement, codes: Collection[str]) -> str:
    """The matter among these whose result the material is; empty where it exists already or comes from elsewhere."""
    code = row.source.removeprefix(RESULT_OF)
    return code if row.source.startswith(RESULT_OF) and code in codes else ""


def source_words(row: Requirement, names: Mapping[str, str]) -> str:
    """Where a material comes from, in words; ``names`` are the matters' by code."""
    if code := result_of(row, names):
        return LocalizedText("%(name)s的结果", name=names[code])
    source = row.else_source if row.source.startswith(RESULT_OF) else row.source
    return LocalizedText(SOURCE_LABEL[source]) if source in SOURCE_LABEL else ""
