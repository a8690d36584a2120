"""JSON lines over a socket, for both ends. A line that comes in pieces is never lost, whatever the time-outs."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

from subscribers.clock import monotonic

Wire = dict[str, Any]

LONGEST_LINE = 16 * 1024 * 1024


class Nonsense(ValueError):
    """The other end does not speak this protocol, or has lost its thread: only closing helps."""


class Link:
    """One connection. Used by one thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._lines: deque[bytes] = deque()
        self._rest = b""

    @classmethod
    def connect(cls, host: str, port: int, timeout: float) -> Link:
        """Raises OSError when nobody answers there."""
        return cls(socket.create_connection((host, port), timeout))

    def send(self, messages: Sequence[Wire], timeout: float) -> None:
        """Hand the messages to the kernel. Raises OSError: then the end of the last line has not been handed over."""
        self._socket.settimeout(timeout)
        self._socket.sendall(b"".join(json.dumps(m, separators=(",", ":")).encode() + b"\n" for m in messages))

    def read(self, timeout: float) -> Wire | None:
        """The next message, or None when it has not come whole in `timeout` seconds.

        Raises OSError when the connection is lost, `Nonsense` when what came is no message.
        """
        deadline = monotonic() + timeout
        while not self._lines:
            # a time-out of 0 would mean "do not block" and another exception
            self._socket.settimeout(max(0.001, deadline - monotonic()))
            try:
                data = self._socket.recv(262144)
            except TimeoutError:
                return None
            if not data:
                raise ConnectionResetError("closed by the other end")
            self._take(data)
            if monotonic() >= deadline and not self._lines:
                return None
        try:
            message = json.loads(self._lines.popleft())
        except ValueError:
            raise Nonsense("no JSON") from None
        if not isinstance(message, dict):
            raise Nonsense("no JSON object")
        return message

    def idle(self) -> bool:
        """Nothing has come, not even the end: an unused link that is not idle is no good any more."""
        try:
            self._socket.setblocking(False)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return not self._lines and not self._rest
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Closing twice is closing once."""
        self._socket.close()

    def _take(self, data: bytes) -> None:
        if b"\n" in data:
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._lines.extend(lines)
        else:
            self._rest += data
        if len(self._rest) > LONGEST_LINE:
            raise Nonsense("a line without an end")
