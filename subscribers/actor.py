"""Who asks, with which rights, in which part of the tree: a frozen value, the second argument of every verb."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeAlias, TypeVar

from subscribers.errors import Denied

if TYPE_CHECKING:
    # the help pages name rights, and open without a database
    from sqlalchemy.orm import Session

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Right(StrEnum):
    """What a person may do. Roles (`broadcaster.access.roles`) are named sets of these."""

    #: look at members, campaigns and reports, with numbers masked
    SEE = "see"
    #: see numbers in full, and export them
    NUMBERS = "numbers"
    #: change the registry: import, undo, transfers, consent on someone's behalf
    REGISTER = "register"
    #: write items and drafts
    WRITE = "write"
    #: put editions and campaigns together, answer letters
    EDIT = "edit"
    #: say yes to what others prepared: campaigns under review, strangers who ask for the paper
    APPROVE = "approve"
    #: start, pause, resume, abort, resend
    SEND = "send"
    #: gateways and the machinery
    OPERATE = "operate"
    #: users and their rights, the audit
    ADMINISTER = "administer"


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

#: every verb that was declared -> the right it needs
VERBS: dict[str, Right] = {}

Verb: TypeAlias = "Callable[Concatenate[Session, Actor, Given], Answer]"


def needs(right: Right) -> Callable[[Verb[Given, Answer]], Verb[Given, Answer]]:
    """Declare the right that a verb `f(session, actor, ...)` needs: whoever lacks it is refused before anything else.

    A public function that takes an actor and is not declared fails the build: tests/test_rights.py.
    """

    def declare(verb: Verb[Given, Answer]) -> Verb[Given, Answer]:
        VERBS[f"{verb.__module__}.{verb.__qualname__}"] = right

        @functools.wraps(verb)
        def checked(session: Session, actor: Actor, /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
            actor.must(right)
            return verb(session, actor, *args, **kwargs)

        return checked

    return declare
