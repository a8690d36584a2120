"""A TCP proxy that keeps every octet, and writes what passed as a capture file that Wireshark reads.

Sniffing takes rights that a test should not need, so the packets are made here: Ethernet, IPv4 and TCP around the
octets as they were read, with right sequence numbers and checksums, connection by connection.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SYN, FIN, ACK = 0x02, 0x01, 0x10
CLIENT, SERVER = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"  # 10.0.0.1 and 10.0.0.2, in the file only
MOST = 1400  # octets of one packet


@dataclass
class Conversation:
    """One connection: who said what, when."""

    number: int
    said: list[tuple[float, bool, bytes]] = field(default_factory=list)
    """Seconds since the epoch, whether the client said it, the octets."""


class Recorder:
    """Passes on what it reads between clients of `port` and the server at `target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._conversations: list[Conversation] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._sockets):
            end.close()

    def from_clients(self) -> list[bytes]:
        """What was said to the server, connection by connection."""
        return [b"".join(octets for _, client, octets in each.said if client) for each in self._conversations]

    def write(self, path: Path) -> None:
        """What passed so far, as a capture."""
        write_capture(path, self._conversations, self._target)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += (near, far)
                conversation = Conversation(len(self._conversations))
                self._conversations.append(conversation)
                self._run(self._pass_on, near, far, conversation, True)
                self._run(self._pass_on, far, near, conversation, False)

    def _pass_on(self, source: socket.socket, sink: socket.socket, conversation: Conversation, client: bool) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                conversation.said.append((time.time(), client, octets))
                sink.sendall(octets)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


def write_capture(path: Path, conversations: Sequence[Conversation], port: int) -> None:
    """The connections to a server at this port as a file of packets, one connection after the other."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for conversation in conversations:
            for at, packet in packets(conversation, port):
                file.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(packet), len(packet)) + packet)


def packets(conversation: Conversation, port: int) -> Iterator[tuple[float, bytes]]:
    """The packets of a whole connection, from its handshake to its end, and when they passed."""
    ports = {True: 40000 + conversation.number, False: port}
    sent = {True: 1000, False: 2000}

    def packet(client: bool, flags: int, octets: bytes = b"") -> bytes:
        made = _packet(client, ports, sent[client], sent[not client] if flags & ACK else 0, flags, octets)
        sent[client] += len(octets) + bool(flags & (SYN | FIN))
        return made

    said = conversation.said or [(0.0, True, b"")]
    first, last = said[0][0], said[-1][0]
    yield first, packet(True, SYN)
    yield first, packet(False, SYN | ACK)
    yield first, packet(True, ACK)
    for at, client, octets in said:
        for start in range(0, len(octets), MOST):
            yield at, packet(client, ACK, octets[start : start + MOST])
    yield last, packet(True, FIN | ACK)
    yield last, packet(False, FIN | ACK)
    yield last, packet(True, ACK)


def _packet(client: bool, ports: dict[bool, int], sequence: int, ack: int, flags: int, octets: bytes) -> bytes:
    source, destination = (CLIENT, SERVER) if client else (SERVER, CLIENT)
    tcp = struct.pack(">HHIIBBHHH", ports[client], ports[not client], sequence, ack, 5 << 4, flags, 65535, 0, 0)
    pseudo = source + destination + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(tcp) + len(octets))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp + octets)) + tcp[18:]
    length = 20 + len(tcp) + len(octets)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0, 64, socket.IPPROTO_TCP, 0) + source + destination
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    ethernet = b"\x02\0\0\0\0" + destination[3:] + b"\x02\0\0\0\0" + source[3:] + b"\x08\x00"
    return ethernet + ip + tcp + octets


def checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
