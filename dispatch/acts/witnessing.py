"""Witnessing: whose signatures under checkpoints are taken, and a signature that comes in."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen
from sqlalchemy import select

from dispatch.acts.act import ActContext, act
from dispatch.core.errors import NotFound, Refused
from dispatch.custody.cosignatures import CustodyCosignature, CustodyWitness, trusted
from dispatch.custody.signed_note import BadNote, NoteKey
from dispatch.custody.transparency_log import CustodyCheckpoint
from dispatch.custody.witness import COSIGNATURE, cosigned_at


@act()
@dataclass(frozen=True, slots=True, kw_only=True)
class TrustWitness:
    """From now on this witness's signatures are taken and shown; another key of the same name ends the one before."""

    key: Annotated[str, MaxLen(160)]

    def perform(self, context: ActContext) -> str:
        try:
            named = NoteKey.parse(self.key)
        except BadNote as error:
            raise Refused(str(error), user_message="见证公钥的格式不对") from error
        if named.kind != COSIGNATURE:
            raise Refused("the key signs no checkpoints of others", user_message="见证公钥的格式不对")
        living = trusted(context.session)
        if any(one.key == named.line() for one in living):
            return named.name
        if context.session.scalar(select(CustodyWitness.id).where(CustodyWitness.key == named.line())) is not None:
            raise Refused(f"the key of {named.name} was ended", user_message="这把见证公钥已停用，请换新的")
        for one in living:
            if one.name == named.name:
                one.ended_at = context.at
        context.session.add(CustodyWitness(name=named.name, key=named.line(), trusted_at=context.at))
        return named.name


@act()
@dataclass(frozen=True, slots=True, kw_only=True)
class EndWitness:
    """No further signature of this witness is taken; those that there are stay."""

    name: Annotated[str, MaxLen(60)]

    def perform(self, context: ActContext) -> str:
        ended = [one for one in trusted(context.session) if one.name == self.name]
        if not ended:
            raise NotFound(f"no witness {self.name}")
        for one in ended:
            one.ended_at = context.at
        return self.name


@act()
@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCosignature:
    """A witness hands in its line under the checkpoint of a size; the line itself says by whom it is."""

    size: int
    line: Annotated[str, MaxLen(300)]

    def perform(self, context: ActContext) -> str:
        session = context.session
        checkpoint = session.get(CustodyCheckpoint, self.size)
        if checkpoint is None:
            raise NotFound(f"no checkpoint of {self.size}")
        for witness in trusted(session):
            try:
                at = cosigned_at(NoteKey.parse(witness.key), checkpoint.note, [self.line])
            except BadNote as error:
                raise Refused(str(error), user_message="见证签名不对") from error
            if at is not None:
                if session.get(CustodyCosignature, (self.size, witness.id), with_for_update=True) is None:
                    session.add(CustodyCosignature(size=self.size, witness_id=witness.id, line=self.line, at=at))
                return witness.name
        raise Refused("the line of nobody who is trusted", user_message="见证签名不对")
