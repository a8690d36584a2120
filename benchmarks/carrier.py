"""How many parts a second the carrier to rehearse against takes, with receipts: it shall not be what others measure.

The carrier runs as a process of its own; the client writes PDUs that were made before, and acknowledges every receipt.

python -m benchmarks.carrier [--parts N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from subscribers.clock import monotonic

ROOT = Path(__file__).parents[1]
#: parts on the way to the carrier that it has not answered
WINDOW, ROUNDS = 2_000, 2
TEXTS = {
    "latin": (0, b"The meeting begins at three. Please bring your card."),
    "chinese": (8, ("会" * 67).encode("utf-16-be")),
}
SUBMIT, SUBMIT_ANSWER, DELIVER, DELIVER_ANSWER, BIND, BIND_ANSWER = 4, 0x80000004, 5, 0x80000005, 9, 0x80000009
HEADER = struct.Struct(">IIII")


def pdu(command: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(16 + len(body), command, 0, sequence) + body


def submit(sequence: int, data_coding: int, text: bytes) -> bytes:
    destination = b"\x01\x01%d\0" % (8619900000000 + sequence % 100_000)
    flags = bytes((0, 0, 0, 0, 0, 1, 0, data_coding, 0, len(text)))
    return pdu(SUBMIT, sequence, b"\0\0\x0110690000\0" + destination + flags + text)


@dataclass
class Client(asyncio.Protocol):
    """Keeps a window full and acknowledges what comes."""

    parts: list[bytes]
    done: asyncio.Future[None]
    sent: int = 0
    answered: int = 0
    receipts: int = 0
    began: float = 0.0
    rest: bytes = b""
    transport: asyncio.Transport = field(init=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(pdu(BIND, 1, b"bench\0\0\0\x34\0\0\0"))

    def data_received(self, data: bytes) -> None:
        buffer = self.rest + data
        at, end = 0, len(buffer)
        out = []
        while end - at >= 16:
            length, command, status, sequence = HEADER.unpack_from(buffer, at)
            if end - at < length:
                break
            at += length
            if command == SUBMIT_ANSWER:
                assert status == 0
                self.answered += 1
            elif command == DELIVER:
                self.receipts += 1
                out.append(HEADER.pack(17, DELIVER_ANSWER, 0, sequence) + b"\0")
            elif command == BIND_ANSWER:
                self.began = monotonic()
        self.rest = buffer[at:]
        more = self.parts[self.sent : self.answered + WINDOW]
        self.sent += len(more)
        self.transport.write(b"".join((*out, *more)))
        if self.receipts == len(self.parts) and not self.done.done():
            self.done.set_result(None)


async def converse(port: int, parts: list[bytes]) -> float:
    """Seconds from the first part to the last receipt."""
    loop = asyncio.get_running_loop()
    client = Client(parts, loop.create_future())
    await loop.create_connection(lambda: client, "127.0.0.1", port)
    await asyncio.wait_for(client.done, 60)
    client.transport.close()
    return monotonic() - client.began


def measure(parts: list[bytes], *options: str) -> dict[str, float]:
    """Parts a second, by the clock and by the processor time of the carrier."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "cli.py"), "simulate", "smpp", "--port", "0", "--lang", "en"]
        with subprocess.Popen(
            [*command, "--log", f"{folder}/log", "--receipt-delay", "0", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as carrier:
            assert carrier.stderr
            found = re.search(r":(\d+)", carrier.stderr.readline())
            assert found
            before = processor_seconds(carrier.pid)
            passed = asyncio.run(converse(int(found[1]), parts))
            used = processor_seconds(carrier.pid) - before
            carrier.terminate()
            carrier.communicate()
        lines = Path(folder, "log").read_bytes().count(b"\n")
    assert lines == len(parts)
    return {"parts_per_second": round(len(parts) / passed), "parts_per_processor_second": round(len(parts) / used)}


def processor_seconds(pid: int) -> float:
    """What a process has used so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def figures(count: int) -> dict[str, dict[str, float]]:
    """The best of several rounds of each."""
    found = {}
    for name, (data_coding, text) in TEXTS.items():
        parts = [submit(sequence, data_coding, text) for sequence in range(1, count + 1)]
        for kind, options in (("plain", ()), ("faults", ("--undelivered", "0.1"))):
            rounds = [measure(parts, *options) for _ in range(ROUNDS)]
            found[f"{name}, {kind}"] = {key: max(one[key] for one in rounds) for key in rounds[0]}
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=30_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = figures(asked.parts)
    if asked.json:
        print(json.dumps(found))
    else:
        for name, values in found.items():
            print(f"{name:20} " + "  ".join(f"{value:>9,} {key}" for key, value in values.items()))


if __name__ == "__main__":
    main()
