"""Notice language: a person of an enterprise says in which language its messages come."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import update

from dispatch.acts.act import ActContext, act
from dispatch.cases.project import Contact
from dispatch.core.actor import Role

NoticeLanguage = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class LanguageChosen:
    """The language of what comes from now on."""

    language: NoticeLanguage


@act(by={Role.ENTERPRISE})
@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseLanguage:
    """Messages to the person's own number come in this language; what waits already comes as it was written."""

    language: NoticeLanguage

    def perform(self, context: ActContext) -> LanguageChosen:
        own = (Contact.account_id == context.actor.account_id, Contact.enterprise_id == context.actor.enterprise_id)
        changed = update(Contact).where(*own, Contact.left_at.is_(None)).values(locale=self.language)
        for contact_id in context.session.scalars(changed.returning(Contact.id)):
            context.touch(Contact, contact_id)
        return LanguageChosen(self.language)
