"""The words of the security log: its kinds, what a line is about, and what it tells besides."""

from collections.abc import Mapping
from typing import Any

from web.wiring.security_log import SecurityKind

SECURITY_LABEL = {
    SecurityKind.SIGNED_IN: "登录",
    SecurityKind.SIGN_IN_FAILED: "登录失败",
    SecurityKind.SIGN_IN_BLOCKED: "尝试过多被拒",
    SecurityKind.CODE_ASKED: "索取验证码",
    SecurityKind.SIGNED_OUT: "退出",
    SecurityKind.SESSION_ENDED: "强制退出设备",
    SecurityKind.TOKEN_MADE: "新建令牌",
    SecurityKind.TOKEN_ENDED: "停用令牌",
    SecurityKind.ACCOUNT_CHANGED: "账号变更",
    SecurityKind.ACCESS_REFUSED: "越权访问被拒",
    SecurityKind.FILE_SENT: "下载文件",
    SecurityKind.EXPORTED: "导出报表",
    SecurityKind.PERSONAL_DATA: "个人信息操作",
    SecurityKind.CONFIGURED: "配置变更",
}

DETAIL_LABEL = {
    "means": "方式", "by_code": "方式", "purpose": "用途", "what": "变更", "scopes": "权限", "days": "有效天数",
    "act": "动作",
}  # fmt: skip
VALUE_LABEL = {
    "password": "密码", "code": "短信验证码", "registration": "注册", "factor": "动态码", "True": "短信验证码",
    "False": "密码", "login": "登录", "register": "注册", "read": "只读", "read write": "读写", "made": "开通",
    "approved": "复核通过", "approved_at_window": "窗口核验通过", "bound": "改绑", "unbound": "解绑关闭",
    "number_changed": "换号", "password_changed": "修改密码", "registered": "注册", "recovered": "在服务器上恢复",
    "owner_changed": "更换负责人", "erased": "清除个人信息", "second_factor_set": "启用双因素验证",
    "second_factor_removed": "停用双因素验证", "UnmaskNumber": "查看完整号码", "ExportPerson": "查阅导出个人信息",
    "ErasePerson": "清除个人信息", "StopNotices": "停发通知", "ResumeNotices": "恢复通知", "EditText": "修改短信模板",
    "RevertText": "恢复短信模板", "EditPath": "调整审批路径",
}  # fmt: skip
SUBJECT_LABEL = {
    "account": "账号", "file": "文件", "token": "令牌", "nobody": "无此账号", "others": "其他所有设备",
    "report": "月报", "security": "安全日志",
}  # fmt: skip


def detail_in_words(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a line tells besides, in the words of the page; a value without words as it is."""
    return [(DETAIL_LABEL.get(name, name), VALUE_LABEL.get(str(value), str(value))) for name, value in detail.items()]


def subject_in_words(subject: str) -> tuple[str, str]:
    """What a line is about: the word for its kind, and which one of it."""
    kind, _, which = subject.partition(":") if ":" in subject else subject.partition(".")
    return (SUBJECT_LABEL[kind], which) if kind in SUBJECT_LABEL else ("", subject)
