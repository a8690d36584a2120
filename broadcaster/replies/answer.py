"""One message back to one member, ahead of every broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from broadcaster.campaigns import dress
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Lane
from broadcaster.campaigns.profiles import Profile, dress_at
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.models import Batch, Message, Part
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Capabilities
from broadcaster.replies.models import Letter
from subscribers.db import wake
from subscribers.errors import Conflict, Unavailable


@dataclass(frozen=True, slots=True)
class Desk:
    """How letters are answered here: in whose name, in which language, by whose day, and what each gateway carries."""

    paper: str
    signature: str
    opt_out: str
    language: str
    gateways: dict[str, Capabilities]
    zone: tzinfo = UTC
    place: dress.Place = "front"
    #: what is set for a gateway today
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    def at(self, gateway: str) -> Desk:
        """The same, in the words that the operator of this gateway demands."""
        own = dress_at(Dress(self.signature, self.opt_out, self.place), self.profiles.get(gateway, Profile()))
        return replace(self, signature=own.signature, opt_out=own.opt_out, place=own.place)


def queue_reply(session: Session, desk: Desk, letter: Letter, body: str) -> Message:
    """Queue an answer by the gateway that brought the letter, as parts at once: there is nothing to fill in.

    Raises `Unavailable` when that gateway is in the configuration no more, `Conflict` when no telephone wrote it.
    """
    if letter.gateway not in desk.gateways:
        raise Unavailable(
            "The gateway {name}, which brought this letter, is not configured any more.",
            hint="Write to the member by a campaign, or configure the gateway again.",
            name=letter.gateway,
        )
    if not letter.from_a_telephone:
        raise Conflict(
            "Letter {id} came from no telephone: nothing can be answered to it.",
            hint="Close it.",
            id=letter.id,
        )
    capabilities = desk.gateways[letter.gateway]
    own = desk.at(letter.gateway)
    # an answer says nothing of refusing more
    worn = Dress(own.signature, place=own.place)
    cut = dress.cut(worn, dress.dressed(worn, body), capabilities)
    pieces = capabilities.handed_over(dress.leaving(worn, cut))
    message = Message(
        member_id=letter.member_id,
        msisdn=letter.msisdn,
        gateway=letter.gateway,
        state=State.QUEUED,
        attempt=1,
        parts=len(pieces),
    )
    session.add(message)
    session.flush()
    session.execute(
        insert(Part),
        [
            {
                "message_id": message.id,
                "attempt": 1,
                "number": number,
                "state": State.QUEUED,
                "gateway": letter.gateway,
                "encoding": cut.encoding.value,
                "text": piece,
            }
            for number, piece in enumerate(pieces, start=1)
        ],
    )
    session.add(Batch(gateway=letter.gateway, lane=Lane.ANSWER, low=message.id, high=message.id, cursor=message.id))
    letter.answer_id = message.id
    wake(session, submit_queue(letter.gateway))
    return message
