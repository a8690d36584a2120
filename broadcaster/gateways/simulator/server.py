"""The carrier's door: JSON lines over TCP, on this machine only.

It greets with `{"carrier": identity}`. Then, a line each:

    {"do": "submit", "parts": [...]}    a line for each part, in order: accepted, refused, throttled
    {"do": "listen"}                    {"events": [...]} as they fall due; {"do": "acknowledge"} brings the next
    {"do": "say", ...}                  {"said": id}
    {"do": "stats"}                     counts
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time

from broadcaster import logs
from broadcaster.gateways.simulator.carrier import Carrier, Wire
from broadcaster.gateways.simulator.wire import Link, Nonsense

HOST = "127.0.0.1"
EVENTS_AT_ONCE = 500
#: a listener that says nothing for so long has hung: its events go to the next one
HEARD_WITHIN = 60.0
SEND_TIMEOUT = 30.0
_LOOK_AROUND = 0.2

log = logs.get(__name__)


class CarrierServer(socketserver.ThreadingTCPServer):
    """Serves one carrier; a thread for each connection. Raises OSError when the port is taken."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, carrier: Carrier, port: int, latency: float) -> None:
        super().__init__((HOST, port), _Bind)
        self.carrier = carrier
        self.latency = latency
        self.closing = threading.Event()
        self.binds = 0
        self.connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="carrier", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody and close the door."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """One connection went wrong in a way nobody foresaw: say so, keep the others."""
        log.exception("a connection to the simulated carrier failed")


class _Bind(socketserver.BaseRequestHandler):
    """One connection. All that it may end with is being closed."""

    server: CarrierServer
    request: socket.socket

    def setup(self) -> None:
        self.server.binds += 1
        self._number = self.server.binds
        self.server.connections.add(self.request)

    def handle(self) -> None:
        link = Link(self.request)
        with contextlib.suppress(OSError, Nonsense):
            link.send([{"carrier": self.server.carrier.identity}], SEND_TIMEOUT)
            while not self.server.closing.is_set():
                request = link.read(_LOOK_AROUND)
                if request is not None:
                    self._do(link, request)

    def finish(self) -> None:
        self.server.connections.discard(self.request)

    def _do(self, link: Link, request: Wire) -> None:
        carrier = self.server.carrier
        try:
            match request.get("do"):
                case "submit":
                    answers = carrier.submit(self._number, request["parts"])
                    if self.server.latency:
                        time.sleep(self.server.latency)
                case "say":
                    said = carrier.say(*(request[key] for key in ("msisdn", "text", "destination", "after")))
                    answers = [{"said": said}]
                case "stats":
                    answers = [dict(carrier.stats())]
                case "listen":
                    return self._tell(link)
                case _:
                    raise Nonsense("no such request")
        except (KeyError, TypeError, ValueError) as error:
            link.send([{"error": f"{type(error).__name__}: {error}"}], SEND_TIMEOUT)
            raise Nonsense("not to be understood") from error
        return link.send(answers, SEND_TIMEOUT)

    def _tell(self, link: Link) -> None:
        carrier = self.server.carrier
        while not self.server.closing.is_set():
            events = carrier.take_due(EVENTS_AT_ONCE, _LOOK_AROUND)
            if not events:
                if not link.idle():
                    return
                continue
            ids = [event["id"] for event in events]
            try:
                link.send([{"events": events}], SEND_TIMEOUT)
                if link.read(HEARD_WITHIN) != {"do": "acknowledge"}:
                    raise Nonsense("no acknowledgement")
                carrier.acknowledge(ids)
            except BaseException:
                carrier.release(ids)
                raise
