"""A client made of octets, so that the carrier is not tried with its own code: it can misbehave in every way."""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.factories import generated_msisdn

BIND_RX, BIND_TX, QUERY, SUBMIT, DELIVER, UNBIND, CANCEL, BIND_TRX, ENQUIRE, DATA = 1, 2, 3, 4, 5, 6, 8, 9, 0x15, 0x103
NACK = ANSWER = 0x80000000
#: seconds that a test waits for what must come
PATIENCE = 20.0
SENDER = "10690000"


@dataclass(frozen=True, slots=True)
class Pdu:
    """What came."""

    command: int
    status: int
    sequence: int
    body: bytes

    @property
    def message_id(self) -> str:
        """What a submit_sm_resp says."""
        return self.body.rstrip(b"\0").decode()

    @property
    def words(self) -> str:
        """The short_message of a deliver_sm, as ASCII."""
        return self.message.decode("ascii")

    @property
    def message(self) -> bytes:
        """The octets of the short_message of a deliver_sm."""
        at = self._behind_addresses() + 9
        return self.body[at + 1 : at + 1 + self.body[at]]

    @property
    def esm_class(self) -> int:
        """That of a deliver_sm or a data_sm."""
        return self.body[self._behind_addresses()]

    @property
    def tlvs(self) -> dict[int, bytes]:
        """The optional parameters of a deliver_sm or a data_sm."""
        at = self._behind_addresses()
        at += 3 if self.command == DATA else 10 + len(self.message)
        found = {}
        while at < len(self.body):
            tag, size = struct.unpack_from(">HH", self.body, at)
            found[tag] = self.body[at + 4 : at + 4 + size]
            at += 4 + size
        return found

    def _behind_addresses(self) -> int:
        at = self.body.index(0) + 1
        for _ in range(2):
            at = self.body.index(0, at + 2) + 1
        return at


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def submit(
    sequence: int,
    message: bytes = b"Hello",
    *,
    to: str = generated_msisdn(1),
    source: str = SENDER,
    coding: int = 0,
    esm: int = 0,
    registered: int = 1,
    tlvs: bytes = b"",
) -> bytes:
    """A submit_sm."""
    flags = bytes((esm, 0, 0, 0, 0, registered, 0, coding, 0, len(message)))
    addresses = b"\0\1" + source.encode() + b"\0" + b"\1\1" + to.lstrip("+").encode() + b"\0"
    return pdu(SUBMIT, sequence, b"\0" + addresses + flags + message + tlvs)


class Client:
    """One connection."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, *octets: bytes) -> None:
        self.socket.sendall(b"".join(octets))

    def bind(self, system_id: str = "paper", password: str = "secret", how: int = BIND_TRX) -> Pdu:
        """Bind, and what was answered."""
        body = system_id.encode() + b"\0" + password.encode() + b"\0\0\x34\0\0\0"
        self.send(pdu(how, 1, body))
        return self.read()

    def read(self) -> Pdu:
        """The next PDU. Raises ConnectionError at the end of the connection, TimeoutError when nothing comes."""
        length, command, status, sequence = struct.unpack(">IIII", self._octets(16))
        assert 16 <= length < 100_000, length
        return Pdu(command, status, sequence, self._octets(length - 16))

    def ask(self, octets: bytes) -> Pdu:
        """Send, and read one."""
        self.send(octets)
        return self.read()

    def acknowledged(self, status: int = 0) -> Pdu:
        """The next receipt or letter, which is acknowledged."""
        found = self.read()
        assert found.command in (DELIVER, DATA), hex(found.command)
        self.send(pdu(found.command | ANSWER, found.sequence, b"\0", status))
        return found

    def hears_nothing(self, seconds: float) -> bool:
        """Whether it stays quiet for so long."""
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK) and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def is_over(self) -> bool:
        """Whether the carrier hangs up; what it still sends is thrown away."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            return True
        return True

    def _octets(self, size: int) -> bytes:
        while len(self._rest) < size:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the carrier hung up")
            self._rest += more
        found, self._rest = self._rest[:size], self._rest[size:]
        return found
