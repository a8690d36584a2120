"""Letters that ask for the paper under a real name: 加入 张伟, JOIN Zhou Lan."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from broadcaster.replies.answer import Desk
from broadcaster.replies.handling import Reply, reply_text
from broadcaster.replies.keywords import name_of_joiner
from broadcaster.replies.models import Letter
from subscribers import admissions
from subscribers.admissions import Joining
from subscribers.errors import Invalid

#: how a letter is marked that asks to join
JOIN = "join"

_ANSWERS = {Joining.ADMITTED: "joined", Joining.WAITS: "join_waits", Joining.KNOWN: "join_known"}


def join(session: Session, desk: Desk, letter: Letter, now: datetime) -> Reply | None:
    """Let in whom the registry knows under this name; anyone else waits, and a person sees the letter, too."""
    name = name_of_joiner(letter.text)
    if not name or not letter.from_a_telephone:
        return None
    try:
        joined = admissions.join(
            session, letter.msisdn, name, wording=letter.text, on=now.astimezone(desk.zone).date(), now=now
        )
    except Invalid:
        # no name that anybody could have, or a number that cannot be written to
        return None
    if letter.member_id is None:
        letter.member_id = joined.member_id
    told = reply_text(_ANSWERS[joined.joining], desk, name=name)
    return Reply(JOIN, told, for_a_person=joined.joining is Joining.WAITS)
