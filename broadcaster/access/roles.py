"""What each role may do, and where: a table."""

from __future__ import annotations

from collections.abc import Mapping

from broadcaster.access.models import Role
from subscribers.actor import Right

_EDITOR = frozenset({Right.SEE, Right.WRITE, Right.EDIT})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.SEE}),
    Role.WRITER: frozenset({Right.SEE, Right.WRITE}),
    Role.EDITOR: _EDITOR,
    Role.APPROVER: _EDITOR | {Right.APPROVE},
    Role.OPERATOR: _EDITOR | {Right.NUMBERS, Right.REGISTER, Right.SEND, Right.OPERATE},
    Role.ADMIN: frozenset(Right),
}

#: there is one set of gateways and machines for everybody: only a place at the top of the tree gives these
ONLY_AT_THE_TOP = frozenset({Right.OPERATE})


def rights_of(role: Role, under: str) -> frozenset[Right]:
    """The rights of a role at a place in the tree; `under` is its path, empty for the whole tree."""
    return RIGHTS[role] - ONLY_AT_THE_TOP if under else RIGHTS[role]
