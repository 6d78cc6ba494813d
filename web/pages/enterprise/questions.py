"""The forms of an enterprise: what is asked beside the facts, in the reader's words."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, FloatField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from dispatch.acts.delegation import AuthorisedPerson, check_term, checked_person
from dispatch.cases.evaluation import TICKET_LABEL
from dispatch.cases.project import FAMILY_LABEL, Power
from dispatch.core.amount import amount_wan
from dispatch.core.canonical import canonical_name
from dispatch.core.errors import Refused
from dispatch.core.project_code import project_code
from web.wiring.formatting import in_words

MOST_PEOPLE = 3


def _choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, words) for value, words in pairs]


def _in_one_form(field: Field, read: Callable[[str], str]) -> None:
    """What was typed becomes its one form, or the field says what is wrong with it."""
    try:
        field.data = read(field.data) if (field.data or "").strip() else None
    except Refused as error:
        raise ValidationError(in_words(error.user_message)) from None


class ProjectForm(FlaskForm):
    """What is to be done."""

    family = RadioField(
        _("办什么事"),
        [InputRequired(_("请选择办什么事"))],
        choices=_choices(*FAMILY_LABEL.items()),
    )
    name = StringField(_("项目名称"), [InputRequired(_("请填写项目名称")), Length(min=2, max=100)])
    project_code = StringField(_("项目代码"), [Optional(), Length(max=40)])
    investment_wan = StringField(_("总投资（万元）"), [Optional(), Length(max=40)])
    state_secret = RadioField(
        _("项目是否涉及国家秘密"),
        [InputRequired(_("请说明是否涉密"))],
        choices=_choices(("no", "不涉及"), ("yes", "涉及")),
    )

    def validate_project_code(self, field: Field) -> None:
        """The number that the investment platform gave, in its one form."""
        _in_one_form(field, project_code)

    def validate_investment_wan(self, field: Field) -> None:
        """A sum as people write it."""
        _in_one_form(field, lambda text: str(amount_wan(text)))

    def validate_name(self, field: Field) -> None:
        """A name that can be seen."""
        field.data = canonical_name(field.data)
        if len(field.data) < 2:
            raise ValidationError(gettext("请填写项目名称"))


class SiteForm(FlaskForm):
    """Where it is to be done."""

    county = StringField(_("县（市、区）"), [InputRequired(_("请选择县（市、区）")), Length(max=12)])
    place = StringField(_("镇、街道或园区"), [Optional(), Length(max=12)])
    address = StringField(_("详细地址"), [InputRequired(_("请填写详细地址")), Length(min=4, max=200)])
    lon = FloatField(_("经度"), [Optional(), NumberRange(116, 122.5, _("经度不在江苏省内"))])
    lat = FloatField(_("纬度"), [Optional(), NumberRange(30.5, 35.5, _("纬度不在江苏省内"))])


class WaysForm(FlaskForm):
    """How papers travel."""

    pickup = RadioField(
        _("原件怎么交"),
        [Optional()],
        choices=_choices(("courier", "揽投员上门取"), ("counter", "自己送到政务服务中心窗口")),
    )
    delivery = RadioField(
        _("结果怎么拿"),
        [Optional()],
        choices=_choices(("courier", "揽投员送上门"), ("counter", "自己到政务服务中心领")),
    )


class LetterForm(FlaskForm):
    """The delegation letter (委托书)."""

    legal_representative = StringField(
        _("法定代表人"), [InputRequired(_("请填写法定代表人姓名")), Length(min=2, max=40)]
    )
    submit = BooleanField(_("提交申请材料"), default=True)
    correct = BooleanField(_("补正材料"), default=True)
    receive = BooleanField(_("代为领取结果"), default=True)
    may_pass_on = BooleanField(_("同意把部分事项转委托给上级或其他窗口的代办员"))
    valid_to = DateField(_("委托有效期至"), [InputRequired(_("请填写有效期"))])
    consent = BooleanField(_("我已阅读委托书，自愿委托"), [InputRequired(_("请勾选同意后再继续"))])

    def validate_valid_to(self, field: Field) -> None:
        """Not in the past, not for ever; what is no day has been told already."""
        if field.data is None:
            return
        try:
            check_term(field.data, self.today)
        except Refused as error:
            raise ValidationError(in_words(error.user_message)) from None

    def validate_submit(self, field: Field) -> None:
        """A letter that allows nothing is none."""
        if not (self.submit.data or self.correct.data or self.receive.data):
            raise ValidationError(gettext("请至少委托一项"))

    @property
    def powers(self) -> list[Power]:
        return [power for power in Power if self[power.value].data]

    def for_day(self, today: date) -> "LetterForm":
        """The day on which the letter is signed."""
        self.today = today
        return self


def people_typed(
    typed: Mapping[str, str],
) -> tuple[list[dict[str, Any]], list[AuthorisedPerson], list[str]]:
    """The authorised persons of a posted letter: as typed, as they are kept, and what is wrong."""
    shown: list[dict[str, Any]] = []
    kept: list[AuthorisedPerson] = []
    wrong: list[str] = []
    for n in range(1, MOST_PEOPLE + 1):
        name, phone = typed.get(f"name{n}", "").strip()[:40], typed.get(f"phone{n}", "").strip()[:32]
        person: dict[str, Any] = {
            "name": name, "phone": phone, "may_hand_over": f"out{n}" in typed, "may_receive": f"in{n}" in typed,
        }  # fmt: skip
        shown.append(person)
        if not name and not phone:
            continue
        try:
            kept.append(checked_person(AuthorisedPerson(**person), n))
        except Refused as error:
            wrong.append(in_words(error.user_message))
    if not kept and not wrong:
        wrong.append(gettext("请至少填写一名授权交接人"))
    return shown, kept, wrong


class TicketForm(FlaskForm):
    """A question or complaint."""

    kind = RadioField(
        _("类型"), [InputRequired(_("请选择类型"))],
        choices=_choices(*TICKET_LABEL.items()),
    )  # fmt: skip
    case_no = StringField(_("有关办件"), [Optional(), Length(max=40)])
    words = TextAreaField(_("内容"), [InputRequired(_("请写明内容")), Length(min=5, max=2000)])


class ReasonForm(FlaskForm):
    """A reason, and that its consequences were read."""

    reason = StringField(_("原因"), [InputRequired(_("请写明原因")), Length(min=2, max=100)])
    sure = BooleanField(_("我已了解后果"), [InputRequired(_("请勾选确认"))])
