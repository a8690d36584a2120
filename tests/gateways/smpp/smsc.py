"""A small SMSC to test against: it accepts, tells, repeats what was not acknowledged, and misbehaves when asked.

It reads requests with smpplib and shares no code with the gateway.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import gsm0338
import smpplib.smpp

from broadcaster.gateways.testkit import AcceptedPart

BINDS = {"bind_transceiver", "bind_transmitter", "bind_receiver"}
_GSM = gsm0338.Codec()
PASSWORD = "s3cret99"


class _Client:
    """What smpplib wants to be handed with each PDU."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A part that was accepted."""

    message_id: str
    msisdn: str
    text: str
    source: str
    pdu: Any


@dataclass
class Manners:
    """How it behaves; changed while it runs."""

    latency: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    """Destination -> command_status of the answer."""
    status: Callable[[int], int] = lambda number: 0
    """Of the n-th submit, when the destination says nothing."""
    silent_after: int = 1_000_000
    """So many submits, then not a word on anything."""
    mute: bool = False
    """Answers no submit; enquire_link it does."""
    answers: bool = True
    """False: takes the connection and says nothing at all."""
    bind_status: int | None = None
    version: int = 0x34
    receipts: bool = True
    receipt_delay: float = 0.0
    early: bool = False
    """The receipt comes before the answer."""
    repeats: int = 1
    submit_id: Callable[[int], str] = str
    receipt_id: Callable[[int], str] = str
    by_tlv: bool = True
    by_text: bool = True
    stat: str = "DELIVRD"
    drip: bool = False
    empty_ids: bool = False


class Smsc:
    """Listens on the loopback; a thread for each connection."""

    def __init__(self, context: ssl.SSLContext | None = None, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.manners = Manners()
        self.taken: list[Taken] = []
        self.acknowledged: list[tuple[int, int]] = []
        self.binds: list[float] = []
        self.connections = 0
        self.unbinds = 0
        self.enquiries = 0
        self.on_answer: Callable[[int], object] = lambda command: None
        self.secrets: Sequence[str] = (PASSWORD,)
        self._context = context
        self._numbers = itertools.count(1)
        self._sequences = itertools.count(1)
        self._submits = itertools.count(1)
        self._lock = threading.RLock()
        self._undelivered: dict[int, bytes] = {}
        self._links: list[_Connection] = []
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._listener = socket.create_server((host, 0), family=family)
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for thread in list(self._threads):
            thread.join(5)

    def accepted(self) -> list[Any]:
        """As the contract's test suite wants it."""
        with self._lock:
            return [AcceptedPart(each.message_id, f"+{each.msisdn}", each.text) for each in self.taken]

    def kill(self) -> None:
        """Gone, without a word."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self, reset: bool = False) -> None:
        """End every connection."""
        for link in list(self._links):
            link.hang_up(reset)

    def send(self, octets: bytes) -> None:
        """Anything, to all who are bound."""
        for link in list(self._links):
            link.send(octets)

    def unbind(self) -> None:
        """It wants to end the connections."""
        self.send(pdu(0x06, next(self._sequences)))

    def enquire(self) -> None:
        """Is the gateway there?"""
        self.send(pdu(0x15, next(self._sequences)))

    def say(
        self, source: str, destination: str, octets: bytes, coding: int = 0, esm: int = 0, tlvs: bytes = b""
    ) -> int:
        """A member's message; repeated on every bind until it is acknowledged. Returns its sequence number."""
        return self.deliver(deliver_body(source, destination, octets, coding, esm, tlvs))

    def deliver(self, body: bytes, link: int = 0) -> int:
        """A deliver_sm with this body, on the n-th of the connections that receive."""
        with self._lock:
            sequence = next(self._sequences)
            self._undelivered[sequence] = body
            for chosen in [each for each in self._links if each.receives][link : link + 1]:
                chosen.send(pdu(0x05, sequence, body))
        return sequence

    @property
    def bound(self) -> int:
        """Connections that are signed on."""
        return sum(link.bound for link in self._links)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            link = _Connection(self, near)
            thread = threading.Thread(target=link.serve, args=(self._context,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def receipt(self, number: int, msisdn: str, source: str, stat: str | None = None) -> None:
        """About the n-th message."""
        manners = self.manners
        told = stat or manners.stat
        written = manners.receipt_id(number)
        text = f"id:{written} sub:001 dlvrd:001 submit date:2611220200 done date:2611220201 stat:{told} err:000 text:"
        tlvs = b""
        if manners.by_tlv:
            state = {"DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5, "REJECTD": 8, "ENROUTE": 1}.get(told, 7)
            tlvs = tlv(0x1E, written.encode() + b"\0") + tlv(0x427, bytes((state,)))
        octets = text.encode() if manners.by_text else b"delivery report"
        for _ in range(manners.repeats):
            self.deliver(deliver_body(msisdn, source, octets, 0, 0x04, tlvs))


class _Connection:
    def __init__(self, smsc: Smsc, near: socket.socket) -> None:
        self._smsc = smsc
        self._near = near
        self._sending = threading.Lock()
        self.bound = False
        self.receives = False

    def serve(self, context: ssl.SSLContext | None) -> None:
        self._smsc._links.append(self)
        try:
            if context is not None:
                self._near.settimeout(5)
                self._near = context.wrap_socket(self._near, server_side=True)
                self._near.settimeout(None)
            self._read()
        except (OSError, ValueError):
            pass
        finally:
            self._smsc._links.remove(self)
            self._near.close()

    def send(self, octets: bytes) -> None:
        with contextlib.suppress(OSError), self._sending:
            if self._smsc.manners.drip:
                for octet in octets:
                    self._near.sendall(bytes((octet,)))
                    time.sleep(0.001)
            else:
                self._near.sendall(octets)

    def hang_up(self, reset: bool = False) -> None:
        with contextlib.suppress(OSError):
            if reset:
                self._near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # shutting down would end it politely
                self._near.shutdown(socket.SHUT_RD)
                self._near.close()
            else:
                self._near.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        rest = b""
        while data := self._near.recv(65536):
            rest += data
            while len(rest) >= 16 and len(rest) >= (size := int.from_bytes(rest[:4], "big")):
                if size < 16:
                    raise ValueError("no SMPP")
                whole, rest = rest[:size], rest[size:]
                self._hear(whole)

    def _hear(self, whole: bytes) -> None:
        smsc, manners = self._smsc, self._smsc.manners
        if not manners.answers:
            return
        command, status, sequence = struct.unpack(">III", whole[4:16])
        if command & 0x80000000:
            smsc.on_answer(command)
            if command == 0x80000005:
                smsc.acknowledged.append((sequence, status))
                with smsc._lock:
                    if status in (0, 0x65):
                        smsc._undelivered.pop(sequence, None)
            return
        if command == 0x08:
            # smpplib knows no cancel_sm
            asked = whole[16:].split(b"\0")[1].decode()
            there = any(t.message_id == asked for t in smsc.taken)
            self.send(pdu(0x80000008, sequence, status=0 if there else 0x11))
            return
        request = smpplib.smpp.parse_pdu(whole, client=_Client(), allow_unknown_opt_params=True)
        name = request.command
        if name in BINDS:
            self._bind(name, request, sequence)
        elif name == "enquire_link":
            smsc.enquiries += 1
            self.send(pdu(0x80000015, sequence))
        elif name == "unbind":
            smsc.unbinds += 1
            self.send(pdu(0x80000006, sequence))
            self.hang_up()
        elif name == "submit_sm":
            self._submit(request, sequence)
        elif name == "query_sm":
            number = request.message_id.decode()
            known = next((t for t in smsc.taken if t.message_id == number), None)
            body = number.encode() + b"\0" + b"2611220201\0" + bytes((2, 0))
            self.send(pdu(0x80000003, sequence, body) if known else pdu(0x80000003, sequence, status=0x67))
        else:
            self.send(pdu(0x80000000, sequence, status=0x03))

    def _bind(self, name: str, request: Any, sequence: int) -> None:
        smsc, manners = self._smsc, self._smsc.manners
        smsc.binds.append(time.monotonic())
        answer = {"bind_receiver": 0x80000001, "bind_transmitter": 0x80000002, "bind_transceiver": 0x80000009}[name]
        status = manners.bind_status
        if status is None:
            status = 0
            if request.system_id != b"paper":
                status = 0x0F
            elif request.password.decode() not in smsc.secrets:
                status = 0x0E
            elif request.system_type != b"":
                status = 0x53
            elif request.interface_version != manners.version:
                status = 0x0D
        self.send(pdu(answer, sequence, b"smsc\0" if not status else b"", status))
        if status:
            return
        self.bound = True
        if name != "bind_transmitter":
            with smsc._lock:
                self.receives = True
                for undelivered, body in list(smsc._undelivered.items()):
                    self.send(pdu(0x05, undelivered, body))

    def _submit(self, request: Any, sequence: int) -> None:
        smsc, manners = self._smsc, self._smsc.manners
        count = next(smsc._submits)
        if manners.mute:
            return
        if manners.latency:
            time.sleep(manners.latency)
        msisdn = request.destination_addr.decode()
        status = manners.statuses.get(msisdn) or manners.status(count)
        if status:
            self.send(pdu(0x80000004, sequence, status=status))
            return
        number = next(smsc._numbers)
        source = request.source_addr.decode()
        with smsc._lock:
            smsc.taken.append(Taken(manners.submit_id(number), msisdn, text_of(request), source, request))
        if count > manners.silent_after:
            manners.answers = False
            return
        told = manners.receipts and request.registered_delivery
        if told and manners.early:
            smsc.receipt(number, msisdn, source)
        message_id = "" if manners.empty_ids else manners.submit_id(number)
        self.send(pdu(0x80000004, sequence, message_id.encode() + b"\0"))
        if told and not manners.early:
            if manners.receipt_delay:
                threading.Timer(manners.receipt_delay, smsc.receipt, (number, msisdn, source)).start()
            else:
                smsc.receipt(number, msisdn, source)


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """Header and body."""
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return struct.pack(">HH", tag, len(value)) + value


def deliver_body(source: str, destination: str, octets: bytes, coding: int, esm: int, tlvs: bytes) -> bytes:
    """Of a deliver_sm."""
    addresses = b"\0\1\1" + source.encode() + b"\0\0\0" + destination.encode() + b"\0"
    classes = bytes((esm, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0))
    return addresses + classes + bytes((len(octets),)) + octets + tlvs


def text_of(request: Any) -> str:
    """What the handset would show."""
    octets = bytes(request.short_message or b"") or bytes(getattr(request, "message_payload", None) or b"")
    if request.esm_class & 0x40:
        octets = octets[octets[0] + 1 :]
    if request.data_coding == 8:
        return octets.decode("utf-16-be")
    if request.data_coding == 3:
        return octets.decode("latin-1")
    return decode_gsm(octets)


def decode_gsm(octets: bytes) -> str:
    """GSM 03.38, by the tables of a package that nobody here wrote."""
    return str(_GSM.decode(octets)[0])
