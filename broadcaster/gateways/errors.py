"""What a gateway may raise. What becomes of a part is an outcome (`contract.py`), never an exception.

    GatewayError
    ├── Misconfigured   the settings or the credentials are wrong: take the gateway out, tell operations
    ├── Unsupported     this gateway cannot do that: the editor is told when the campaign is checked
    ├── ForgedRequest   a request to our hook that does not prove where it comes from: 403, nothing is parsed
    └── LinkDown        the carrier is not there, or a held connection was lost: open or listen again later

Each is also one of `subscribers.errors`, so that a door needs to know only those.
"""

from __future__ import annotations

from subscribers.errors import BroadsheetError, Denied, Invalid, Unavailable


class GatewayError(BroadsheetError):
    """Something is wrong with a way out."""


class Misconfigured(GatewayError, Invalid):
    """The settings or the credentials of a gateway are wrong."""


class Unsupported(GatewayError, Invalid):
    """The gateway cannot do what was asked of it."""


class ForgedRequest(GatewayError, Denied):
    """A request to a hook does not prove that the carrier sent it."""


class LinkDown(GatewayError, Unavailable):
    """The carrier cannot be reached, or the connection to it was lost."""


def in_log(error: BroadsheetError) -> dict[str, str]:
    """The fields of a line in the log: why, and what to do about it."""
    hint = error.hint.format(**error.fields)
    return {"reason": str(error)} | ({"hint": hint} if hint else {})
