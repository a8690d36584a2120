"""One connection: octets out and in without ever blocking, and how many of them the kernel has taken."""

from __future__ import annotations

import selectors
import socket
import ssl

from broadcaster.gateways.errors import LinkDown

_CHUNK = 65536


class Lost(LinkDown):
    """The other end has closed the connection, or it broke."""


class Link:
    """Owned by one thread for its life. `waker` is a socket that others write to when this one shall look up."""

    def __init__(self, gateway: str, connection: socket.socket, waker: socket.socket) -> None:
        self._gateway = gateway
        self._socket = connection
        self._waker = waker
        self._out = bytearray()
        self._writes = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._selector.register(waker, selectors.EVENT_READ)
        self.given = 0
        """Octets that were to be written, since the beginning."""
        self.taken = 0
        """Octets that the kernel has taken: what lies behind cannot have arrived."""

    def write(self, octets: bytes) -> None:
        """To be written with the next `flush`."""
        self._out += octets
        self.given += len(octets)

    @property
    def unwritten(self) -> int:
        """Octets that the kernel has not taken yet."""
        return len(self._out)

    def flush(self) -> None:
        """Hand over what the kernel will take. Raises `Lost`."""
        while self._out:
            try:
                # TLS asks that the same octets come again after a refusal: they stay at the beginning
                count = self._socket.send(self._out[:_CHUNK])
            except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                break
            except OSError as error:
                raise self._broke(error) from error
            self.taken += count
            del self._out[:count]
        if bool(self._out) != self._writes:
            self._writes = bool(self._out)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._writes else 0)
            self._selector.modify(self._socket, events)

    def wait(self, seconds: float) -> None:
        """Until there is something to read or to write, somebody calls, or the time is over."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.fileobj is self._waker:
                drain(self._waker)

    def read(self) -> bytes:
        """What has come; empty when nothing has. Raises `Lost`."""
        try:
            data = self._socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise self._broke(error) from error
        if not data:
            raise Lost("Gateway {name}: the carrier closed the connection.", name=self._gateway)
        return data

    def _broke(self, error: OSError) -> Lost:
        if isinstance(error, (ConnectionResetError, BrokenPipeError)):
            return Lost(
                "Gateway {name}: the connection was broken off, by the carrier or on the way.", name=self._gateway
            )
        detail = error.strerror or type(error).__name__
        return Lost("Gateway {name}: the connection broke: {detail}.", name=self._gateway, detail=detail)

    def close(self) -> None:
        """Hang up. What was not taken never leaves."""
        self._selector.close()
        self._socket.close()


def drain(waker: socket.socket) -> None:
    """Forget the calls that have come."""
    try:
        while waker.recv(4096):
            pass
    except BlockingIOError:
        pass
