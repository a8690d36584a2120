"""Who asks, with which rights, in which part of the tree: a frozen value, the second argument of every verb."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from subscribers.errors import Denied


class Right(StrEnum):
    """What a person may do. Roles (in `broadcaster.access`, later) are named sets of these."""

    #: look at members, campaigns and reports
    SEE = "see"
    #: change the registry: import, undo, consent on someone's behalf
    REGISTER = "register"
    #: write editions and drafts
    EDIT = "edit"
    #: start, pause, resume, abort, resend
    SEND = "send"
    #: settings, users, gateways
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of the machine that acts.

    `under` is the path of the organisation whose subtree is this actor's world; empty means all of it.
    """

    name: str
    rights: frozenset[Right]
    under: str = ""

    def must(self, right: Right) -> None:
        """Go on if this actor has the right; raise `Denied` if not."""
        if right not in self.rights:
            raise Denied(
                "{name} has no right to {right} here.",
                hint="Ask an administrator for a role that has it.",
                name=self.name,
                right=right.value,
            )


#: the operator at the command line of an embedded installation: every right, everywhere
OPERATOR = Actor("operator", frozenset(Right))
#: the machine itself: schedules, receipts, opt-outs by SMS
SYSTEM = Actor("system", frozenset(Right))
