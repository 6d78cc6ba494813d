"""Confirming codes: an operator has seen the licence whose credit code the standard's check refuses."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import select

from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.cases.enterprises import ConfirmedCreditCode
from dispatch.core.actor import Role
from dispatch.core.canonical import canonical_name
from dispatch.core.credit_code import WrongCheckCharacter, credit_code, credit_code_form
from dispatch.core.errors import Refused, of_field


@act(by={Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmCreditCode:
    """The code stands so on the business licence (some of before 2016 do not fit their check character).

    From now on it is taken at every door. A personal identity number is never confirmed."""

    credit_code: Annotated[str, MaxLen(60)]
    enterprise_name: Annotated[str, MinLen(1), MaxLen(200)]
    reason: Why

    def perform(self, context: ActContext) -> str:
        with of_field("credit_code"):
            code = self._code()
        known = select(ConfirmedCreditCode.id).where(ConfirmedCreditCode.credit_code == code)
        if context.session.scalar(known) is None:
            context.session.add(
                ConfirmedCreditCode(
                    credit_code=code, enterprise_name=canonical_name(self.enterprise_name), reason=self.reason,
                    at=context.at,
                )
            )  # fmt: skip
        return code

    def _code(self) -> str:
        try:
            code = credit_code(self.credit_code)
        except WrongCheckCharacter:
            return credit_code_form(self.credit_code)
        raise Refused(f"{code} needs no confirmation", user_message="该代码校验无误，无需确认")
