"""A TCP proxy that breaks connections on purpose, for the contract's test suite."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

GARBAGE = b"\xff\xfe\x00\x7f this is not what a carrier says \x00\x00\r\n"


class Proxy:
    """Passes bytes between a gateway and the carrier at `target` on the loopback, until it is told otherwise."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._threads: list[threading.Thread] = []
        #: bytes that gateways have sent, passed on or not
        self.asked = 0
        self._left: int | None = None
        self._garbled = False
        self._speaking = threading.Event()
        self._speaking.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._run(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Break every connection now. New ones are welcome."""
        with self._lock:
            self._left = None
            for pair in self._pairs:
                for end in pair:
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
        self.speak()

    def hush(self) -> None:
        """Keep back what the carrier says, and the end of the connection too, until `speak` or a cut."""
        self._speaking.clear()

    def speak(self) -> None:
        """Pass on what was kept back, and what comes."""
        self._speaking.set()

    def cut_after(self, answered: int) -> None:
        """Break every connection once the carrier has said so many more bytes; the next byte is never passed on."""
        with self._lock:
            self._left = answered

    def garble(self) -> None:
        """From now on, whatever the carrier says arrives as garbage."""
        with self._lock:
            self._garbled = True

    def refuse(self) -> None:
        """Break every connection and take no new one."""
        self._stop_listening()
        self.cut()

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                # gone with its carrier: who only asks and is answered cannot tell a proxy that took the request along
                # from a carrier that did
                self._stop_listening()
                near.close()
                return
            with self._lock:
                self._pairs.add((near, far))
            self._run(self._serve, near, far)

    def _serve(self, near: socket.socket, far: socket.socket) -> None:
        upwards = threading.Thread(target=self._pass_on, args=(near, far, False), daemon=True)
        upwards.start()
        self._pass_on(far, near, True)
        upwards.join()
        with self._lock:
            self._pairs.discard((near, far))
        near.close()
        far.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if answers:
                    self._speaking.wait()
                else:
                    with self._lock:
                        self.asked += len(data)
                kept = self._spoilt(data) if answers else data
                sink.sendall(kept)
                if answers and len(kept) < len(data) and not self._garbled:
                    self.cut()
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _spoilt(self, data: bytes) -> bytes:
        with self._lock:
            if self._garbled:
                return GARBAGE
            if self._left is None:
                return data
            kept = data[: self._left]
            self._left -= len(kept)
            return kept

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
