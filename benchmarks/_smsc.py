"""The lean carrier where there is no C compiler: the same as `_smsc.c`, as fast as Python lets it be.

python benchmarks/_smsc.py COUNTERS RECEIPT_DELAY_MS      prints its port
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import sys
import time
from collections import deque
from pathlib import Path

BOUND, SUBMITTED, TOLD, ACKNOWLEDGED, FIRST_SUBMIT, LAST_ACKNOWLEDGED, LAST_SUBMIT, HOLD, COUNTERS = range(9)
SUBMIT_ANSWER, DELIVER, DELIVER_ANSWER, UNBIND, ENQUIRE_LINK = 0x80000004, 5, 0x80000005, 6, 0x15
HEAD = struct.Struct(">IIII")
TEXT = b"id:%010d sub:001 dlvrd:001 submit date:2611221200 done date:2611221200 stat:DELIVRD err:000 text:"
#: esm_class 4 and what follows it, up to the length of the text
REST = bytes((4, 0, 0, 0, 0, 0, 0, 0, 0, len(TEXT % 0)))
#: message_state and the beginning of receipted_message_id
STATE = bytes((0x04, 0x27, 0, 1, 2, 0x00, 0x1E, 0, 11))
#: octets that a client may leave unread before nothing more is taken from it
UNREAD_MOST = 8 << 20
#: seconds until a refused receipt comes again
AGAIN = 1.0

#: the id of a part, its destination and its source
Receipt = tuple[int, bytes, bytes]


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, counters: memoryview, delay: float) -> None:
        self.counters, self.delay = counters, delay
        self.waiting: deque[tuple[float, list[Receipt]]] = deque()
        #: by sequence number, until it is answered
        self.told: dict[int, Receipt] = {}
        self.rest, self.next_id, self.sequence = b"", 1_000_000_000, 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(UNREAD_MOST)
        self.transport = transport

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        buffer = self.rest + data
        at, end, head = 0, len(buffer), HEAD.unpack_from
        out, taken, refused, acknowledged, number = [], [], [], 0, self.next_id
        while end - at >= 16:
            length, command, status, sequence = head(buffer, at)
            if end - at < length:
                break
            if command == 4:
                out.append(b"\0\0\0\x1b\x80\0\0\x04\0\0\0\0%b%010d\0" % (buffer[at + 12 : at + 16], number))
                # service_type, then type, plan and address of either side
                source = buffer.index(0, at + 16) + 3
                destination = buffer.index(0, source) + 3
                taken.append(
                    (number, buffer[destination : buffer.index(0, destination) + 1], buffer[source : destination - 2])
                )
                number += 1
            elif command == DELIVER_ANSWER:
                receipt = self.told.pop(sequence)
                if status:
                    refused.append(receipt)
                else:
                    acknowledged += 1
            elif command in (1, 2, 9):
                out.append(HEAD.pack(21, command | 0x80000000, 0, sequence) + b"lean\0")
                self.counters[BOUND] += 1
            elif command in (UNBIND, ENQUIRE_LINK):
                out.append(HEAD.pack(16, command | 0x80000000, 0, sequence))
            at += length
        self.rest, self.next_id = buffer[at:], number
        if taken:
            self._count(taken)
        if acknowledged:
            self.counters[ACKNOWLEDGED] += acknowledged
            self.counters[LAST_ACKNOWLEDGED] = time.monotonic_ns()
        if refused:
            asyncio.get_running_loop().call_later(AGAIN, self._write, refused)
        self.transport.write(b"".join(out))

    def _count(self, taken: list[Receipt]) -> None:
        now = time.monotonic_ns()
        if not self.counters[SUBMITTED]:
            self.counters[FIRST_SUBMIT] = now
        self.counters[SUBMITTED] += len(taken)
        self.counters[LAST_SUBMIT] = now
        self.waiting.append((now / 1e9 + self.delay, taken))
        if len(self.waiting) == 1:
            asyncio.get_running_loop().call_later(self.delay, self.tell)

    def tell(self) -> None:
        """Send the receipts that are due."""
        while self.waiting and not self.counters[HOLD] and self.waiting[0][0] <= time.monotonic():
            self._write(self.waiting.popleft()[1])
        if self.waiting:
            asyncio.get_running_loop().call_later(max(0.01, self.waiting[0][0] - time.monotonic()), self.tell)

    def _write(self, receipts: list[Receipt]) -> None:
        out = []
        for receipt in receipts:
            number, destination, source = receipt
            self.sequence += 1
            self.told[self.sequence] = receipt
            body = b"\0\1\1" + destination + b"\0\0" + source + REST + TEXT % number + STATE + b"%010d\0" % number
            out.append(HEAD.pack(16 + len(body), DELIVER, 0, self.sequence) + body)
        self.counters[TOLD] += len(out)
        self.transport.write(b"".join(out))


async def serve(counters: memoryview, delay: float) -> None:
    """Until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Client(counters, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with Path(sys.argv[1]).open("r+b") as file:
        asyncio.run(serve(memoryview(mmap.mmap(file.fileno(), COUNTERS * 8)).cast("Q"), float(sys.argv[2]) / 1000))
