"""Whether the broker can be reached: asked by the doctor, before anything depends on it."""

from __future__ import annotations

from kombu import Connection
from kombu.exceptions import OperationalError

from subscribers.errors import Unavailable

#: seconds
PATIENCE = 3


def check_broker(url: str) -> None:
    """Raise `Unavailable` if the broker at this URL does not answer."""
    connection = Connection(url, connect_timeout=PATIENCE)
    failures: tuple[type[BaseException], ...] = (OperationalError, OSError, *connection.connection_errors)
    try:
        connection.ensure_connection(max_retries=1, timeout=PATIENCE)
        # Redis is spoken to only when a channel is opened
        connection.channel()
    except failures as error:
        raise Unavailable(
            "The queue does not answer: {detail}.",
            hint="Start the broker, or correct url under [queue].",
            detail=str(error),
        ) from error
    finally:
        connection.release()
