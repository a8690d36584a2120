"""What a carrier has seen and done, for the status line and the summary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Figures since the start; `links` and `waiting` are of this moment."""

    #: connections now, and all that there were
    links: int = 0
    connections: int = 0
    binds: int = 0
    #: binds that were refused: a wrong name or password, too many
    binds_refused: int = 0
    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    #: PDUs that could not be understood
    malformed: int = 0
    #: sent, those that were sent again included
    receipts: int = 0
    receipts_acknowledged: int = 0
    #: answered with an error; they are sent again only to a client that said "later"
    receipts_refused: int = 0
    #: thrown away, because nobody fetched them
    receipts_dropped: int = 0
    #: still to be sent, due or not
    receipts_waiting: int = 0
    #: messages from members, and the parts that they came in
    mo: int = 0
    mo_parts: int = 0
    mo_acknowledged: int = 0
    #: connections that the carrier hung up on
    hung_up: int = 0
    #: connections that ended because of a mistake in the carrier itself
    internal_errors: int = 0
