"""Octets of a connection -> whole PDUs. Pure: whoever owns the socket feeds it."""

from __future__ import annotations

import struct

from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.smpp.octets import HEADER

LARGEST = 64 * 1024
"""A PDU with a text in `message_payload`, and room to spare."""

#: a TLS record of an alert or a handshake, versions 1.0 to 1.3
_TLS = (b"\x15\x03", b"\x16\x03")
_length = struct.Struct(">I").unpack_from
_TEXT = frozenset(b"\t\r\n" + bytes(range(0x20, 0x7F)))


class NotSmpp(LinkDown):
    """What comes is not SMPP, or its borders are lost: only closing the connection helps."""


class Framer:
    """Keeps what is not whole yet, so that no timeout loses the step. One per connection, used by one thread."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._rest = bytearray()
        self._needed = 4
        self._began = False
        self.garbage: NotSmpp | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The PDUs that are whole now, each with its header.

        Raises `NotSmpp`. PDUs that were whole before the garbage are returned first; every later call raises.
        """
        if self.garbage is not None:
            raise self.garbage
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        pdus: list[bytes] = []
        start, have = 0, len(data)
        self._needed = 4
        while have - start >= 4:
            (length,) = _length(data, start)
            if not HEADER <= length <= self._largest:
                self.garbage = self._told(data[start : start + 16], length)
                if pdus:
                    return pdus
                raise self.garbage
            end = start + length
            if end > have:
                self._needed = length
                break
            self._began = True
            pdus.append(data[start:end])
            start = end
        if start < have:
            self._rest += data[start:]
        return pdus

    def _told(self, head: bytes, length: int) -> NotSmpp:
        """Who it is that answers, as far as the first octets tell."""
        if not self._began:
            if head.startswith(b"HTTP") or head[:4].lower() in (b"<!do", b"<htm"):
                return NotSmpp(
                    "A web server (HTTP) answers on this port, not an SMPP centre.",
                    hint="Compare host and port with what the carrier gave; web addresses are for another kind.",
                )
            if head.startswith(_TLS):
                return NotSmpp(
                    "The carrier's port speaks TLS, and this gateway does not.",
                    hint="Switch TLS on for this gateway, or ask the carrier for the port without TLS.",
                )
            if set(head) <= _TEXT:
                return NotSmpp(
                    "Another service answers on this port, in plain text, not an SMPP centre.",
                    hint="Compare host and port with what the carrier gave.",
                )
        return NotSmpp(
            "The carrier sent a PDU of {length} octets; {least} to {most} are possible.",
            hint="The connection is closed and made again; if it happens often, tell the carrier.",
            length=length,
            least=HEADER,
            most=self._largest,
        )
