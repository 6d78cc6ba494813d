"""Bulk sheet: which columns a sheet of projects has, and the template that people fill in."""

from dispatch.cases.project import FAMILY_LABEL
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from web.wiring.sheets import xlsx

PROJECT_HEADS = (
    "项目名称",
    "类型",
    "县（市、区）",
    "镇街或园区",
    "详细地址",
    "总投资（万元）",
    "项目代码",
    "办理事项",
    "是否涉密",
)
PARTY_HEADS = ("企业名称", "统一社会信用代码", "联系人", "手机号")
NEEDED = frozenset({"项目名称", "类型", "县（市、区）", "详细地址", "是否涉密", *PARTY_HEADS})


def heads(viewer: Actor) -> tuple[str, ...]:
    """The columns: an agent's sheet says of each project whose it is."""
    return PROJECT_HEADS if viewer.role is Role.ENTERPRISE else PARTY_HEADS + PROJECT_HEADS


def template(viewer: Actor) -> bytes:
    """An empty sheet with one line as an example on a second sheet, and what each column wants."""
    example = {
        "企业名称": "常州示例精密机械有限公司", "统一社会信用代码": "91320412MA1ABCDE2E", "联系人": "王经理",
        "手机号": "13800000000",
        "项目名称": "精密机床扩产项目", "类型": FAMILY_LABEL[Family.INDUSTRIAL_PERMIT], "县（市、区）": "常州市武进区",
        "镇街或园区": "湖塘镇", "详细地址": "人民东路1号", "总投资（万元）": "3000", "项目代码": "",
        "办理事项": "", "是否涉密": "否",
    }  # fmt: skip
    wants = {
        "类型": "、".join(FAMILY_LABEL.values()), "县（市、区）": "同名的请带上设区市，也可填12位区划代码",
        "总投资（万元）": "以万元为单位，可有小数，可不填", "项目代码": "如 2611-320412-04-01-123456，可不填",
        "是否涉密": "只收“否”；涉密项目请到窗口咨询",
        "办理事项": "事项编号或简称，用顿号隔开；不填则按常见情况列第一阶段的事项", "统一社会信用代码": "18位",
        "镇街或园区": "可不填",
    }  # fmt: skip
    columns = heads(viewer)
    about = [(name, "必填" if name in NEEDED else "选填", example[name], wants.get(name, "")) for name in columns]
    return xlsx([("项目", columns, []), ("填写说明", ("列", "是否必填", "例", "说明"), about)])
