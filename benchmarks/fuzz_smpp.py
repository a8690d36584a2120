"""Broken octets for everything that reads what an SMPP carrier sends: framing, PDUs, receipts, texts, ids, joining.

python -m benchmarks.fuzz_smpp [--seconds N] [--inputs N] [--seed N] [--processes N] [--json]

Only `NotSmpp` and `Malformed` may come out of it. It prints how many inputs, seconds and exceptions there were, and how
much the memory grew; the first inputs that raised anything else are shown in hex. The same seed, the same inputs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import resource
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from broadcaster.gateways.smpp import codec, ids, receipts, tables, texts
from broadcaster.gateways.smpp.framing import Framer, NotSmpp
from broadcaster.gateways.smpp.octets import HEADER, Malformed, head
from broadcaster.gateways.smpp.words import UDHI, Command, Tag
from broadcaster.replies.long_letters import text_of
from broadcaster.sms import decode
from subscribers.clock import monotonic

ZONE = ZoneInfo("Asia/Shanghai")
PAGE = resource.getpagesize()
AT_ONCE = 1000
SHOWN = 5
REMEMBERED = 100

NUMBERS: dict[str, tables.Value] = {
    "source_addr": "8619900000001",
    "source_addr_ton": 1,
    "destination_addr": "106900011",
}
RECEIPT_TEXTS = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611221003 done date:2611221004 stat:DELIVRD err:000 text:Hi",
    b"id:0A1B sub:001 dlvrd:000 submit date:261122100300 done date:261122100405 stat:UNDELIV err:027 text:",
    b'ID="a-b_c.1"; done_date=2026-11-22 10:04:05; Stat=EXPIRED|err:0x1f',
    b"id: sub: dlvrd: submit date: done date:261122100304032+ stat: err: text:stat:DELIVRD",
)
WORDS = (b"id:", b" stat:", b" done date:", b" err:", b" text:", b"DELIVRD", b'"', b"\0", b"\xff\xff\xff\xff", b"\0\0")
TAGS = (b"\x04\x24\0\4", b"\0\x1e\0\3", b"\x04\x27\0\1", b"\2\x0c\0\2", b"\2\x0e\0\1", b"\2\x0f\0\1", b"\x04\x23\0\3")
PIECES = WORDS + TAGS + (b"\5\0\3\x2a\3\2", b"\6\x08\4\1\x2a\3\2", b"\x1b\x65", b"\xd8\x3d", b"\xff\xfe", b"9" * 40)
HEADERS = (b"\5\0\3\x2a\3\2", b"\6\x08\4\1\x2a\3\2", b"\x0b\5\4\x0b\x84\x23\xf0\0\3\x2a\3\2")
TEXTS = RECEIPT_TEXTS + HEADERS + ("退订 ok€𠮷".encode("utf-16-be"), "退订".encode("gb18030"), b"a\x1b\x65\0b")
TLVS = (b"", b"", b"\0\x1e\0\0050A1B\0\4\x27\0\1\2", b"\2\x0c\0\2\1\x2a\2\x0e\0\1\3\2\x0f\0\1\2", b"\4\x23\0\3\3\0\1")
FROM_TO = b"\0\1\0008619900000001\0\0\000106900011\0"
CODINGS = (0, 1, 3, 4, 5, 8, 10, 14, 15, 0x18, 0xF5)


def corpus() -> list[bytes]:
    """Whole PDUs to be broken: of each command one, receipts in each form, texts in each coding."""
    told: dict[str, tables.Value]
    tlvs: dict[int, bytes]
    made = [tables.encode(command, 7, tlvs={0x1500: b"abc"}) for command in tables.LAYOUTS]
    made += [tables.encode(Command.SUBMIT_SM_RESP, 9, {"message_id": each}) for each in ("0123456789", "0A1B", "7")]
    for text in RECEIPT_TEXTS:
        told = {**NUMBERS, "esm_class": 4, "short_message": text}
        tlvs = {Tag.RECEIPTED_MESSAGE_ID: b"0A1B\0", Tag.MESSAGE_STATE: b"\2", Tag.NETWORK_ERROR_CODE: b"\3\0\1"}
        made += [tables.encode(Command.DELIVER_SM, 11, told), tables.encode(Command.DELIVER_SM, 12, told, tlvs=tlvs)]
    for coding in CODINGS:
        told = {**NUMBERS, "data_coding": coding, "short_message": "退订 ok€".encode("utf-16-be")}
        made.append(tables.encode(Command.DELIVER_SM, 13, told))
    for header in HEADERS:
        told = {**NUMBERS, "esm_class": UDHI, "short_message": header + b"hello"}
        made.append(tables.encode(Command.DELIVER_SM, 14, told))
    sar = {0x020C: b"\1\x2a", 0x020E: b"\3", 0x020F: b"\2", 0x0424: b"hello"}
    made.append(tables.encode(Command.DELIVER_SM, 15, NUMBERS, tlvs=sar))
    made.append(tables.encode(Command.DATA_SM, 16, {**NUMBERS, "esm_class": 4}, tlvs={**sar, 0x1E: b"7\0"}))
    return made


def damage(data: bytearray, others: Sequence[bytes], chance: Callable[[], float]) -> None:
    """Do one to three things to the octets."""
    for _ in range(1 + int(chance() * 3)):
        size = len(data)
        at = int(chance() * size)
        kind = int(chance() * 8)
        if kind <= 1 and size:
            data[at] = int(chance() * 256)
        elif kind == 2 and size:
            data[at] ^= 1 << int(chance() * 8)
        elif kind == 3:
            del data[at : at + 1 + int(chance() * 8)]
        elif kind == 4:
            data[at:at] = PIECES[int(chance() * len(PIECES))]
        elif kind == 5:
            data[at:at] = data[int(chance() * size) :][: int(chance() * 64)]
        elif kind == 6:
            other = others[int(chance() * len(others))]
            data[at:] = other[int(chance() * len(other)) :]
        elif chance() < 0.3:
            del data[at:]


def broken(seeds: Sequence[bytes], chance: Callable[[], float]) -> bytes:
    """Half of the time a whole PDU with damage, its length mostly right again; else a whole one with a damaged text."""
    if chance() < 0.5:
        data = bytearray(seeds[int(chance() * len(seeds))])
        damage(data, seeds, chance)
        if chance() < 0.95 and len(data) >= 4:
            data[:4] = len(data).to_bytes(4, "big")
        return bytes(data)
    text = bytearray(TEXTS[int(chance() * len(TEXTS))])
    damage(text, TEXTS, chance)
    del text[254:]
    classes = b"\0\0\x04\x04\x20\x40\x40\x44"[int(chance() * 8)]
    coding = CODINGS[int(chance() * len(CODINGS))]
    tlvs = TLVS[int(chance() * len(TLVS))]
    body = b"%b%c\0\0\0\0\1\0%c\0%c%b%b" % (FROM_TO, classes, coding, len(text), bytes(text), tlvs)
    return b"%b\0\0\0\5\0\0\0\0\0\0\0\7%b" % ((HEADER + len(body)).to_bytes(4, "big"), body)


class Reader:
    """Reads a stream as a session would, with all that it keeps between PDUs."""

    def __init__(self) -> None:
        self.ids = ids.Ids(remembered=1000)
        self.letters: dict[tuple[object, ...], dict[int, tuple[bytes, str]]] = {}

    def take(self, data: bytes, cut: int) -> int:
        """Read octets that come in two pieces. Returns how many PDUs made sense."""
        framer = Framer()
        understood = 0
        try:
            for piece in (data[:cut], data[cut:]):
                for pdu in framer.feed(piece):
                    self._pdu(pdu)
                    understood += 1
        except (NotSmpp, Malformed):
            pass
        return understood

    def _pdu(self, pdu: bytes) -> None:
        command = head(pdu).command
        if command == Command.SUBMIT_SM_RESP:
            answer = codec.submit_answer(pdu)
            self.ids.accepted(answer.message_id, "+8619900000001")
        elif command in (Command.DELIVER_SM, Command.DATA_SM):
            self._told(codec.deliver(pdu))
        else:
            read = tables.decode(pdu)
            try:
                again = tables.encode(command, read.sequence, read.fields, status=read.status, tlvs=read.tlvs)
            except ValueError:
                # longer than the standard allows: read, but not written
                return
            if command in tables.LAYOUTS and len(pdu) > HEADER and not read.status:
                assert tables.decode(again) == read, "it does not come back as it was"

    def _told(self, told: codec.Deliver) -> None:
        codec.deliver_answer(told)
        if receipts.is_receipt(told, by_text=True):
            made = receipts.receipt(told, "fuzzed", ZONE)
            self.ids.resolve(made.message_id, made.msisdn)
            kept = made.message_id + made.code + made.raw
        else:
            kept = self._letter(told)
        assert "\0" not in kept, "no database keeps a NUL"
        kept.encode("utf-8")

    def _letter(self, told: codec.Deliver) -> str:
        found = texts.incoming(told)
        if found.part is None:
            return decode(found.octets, found.charset)
        key = (told.source, told.destination, found.part.reference, found.part.total)
        parts = self.letters.setdefault(key, {})
        parts[found.part.number] = (found.octets, found.charset)
        if len(parts) == found.part.total or len(self.letters) > REMEMBERED:
            self.letters.clear()
        return text_of(found.part.total, parts)


@dataclass(slots=True)
class Result:
    """What one process did."""

    inputs: int = 0
    understood: int = 0
    exceptions: int = 0
    slowest: float = 0.0
    """Seconds for the slowest input, of the thread's own time: other programs do not count."""
    growth: float = 0.0
    """MiB from the first tenth, or the first 100,000 inputs, to the end."""
    shown: list[str] = field(default_factory=list)


def fuzz(seed: int, inputs: int, seconds: float = float("inf")) -> Result:
    """Break and read until there were so many inputs or the time is up."""
    chance = random.Random(seed).random
    seeds, reader, result = corpus(), Reader(), Result()
    deadline = monotonic() + seconds
    settled = min(100_000, inputs // 10)
    before = 0.0
    while result.inputs < inputs and monotonic() < deadline:
        if result.inputs >= settled and not before:
            before = resident()
        for _ in range(min(AT_ONCE, inputs - result.inputs)):
            data = broken(seeds, chance)
            cut = int(chance() * len(data))
            began = monotonic()
            try:
                result.understood += reader.take(data, cut)
            except Exception:
                result.exceptions += 1
                if len(result.shown) < SHOWN:
                    result.shown.append(f"{data.hex()} in {cut}\n{traceback.format_exc()}")
            if monotonic() - began > result.slowest:
                result.slowest = max(result.slowest, own_time(data, cut))
            result.inputs += 1
    result.growth = max(0.0, resident() - before) if before else 0.0
    return result


def own_time(data: bytes, cut: int) -> float:
    """Seconds of this thread for one input, read again."""
    reader = Reader()
    began = time.thread_time()
    with contextlib.suppress(Exception):
        reader.take(data, cut)
    return time.thread_time() - began


def resident() -> float:
    """Memory of this process in MiB: what it has now, or had at most where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> int:
    """Fuzz on several processes, print the figures; 1 if anything but the two errors came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=0, help="default: as many as the seconds allow")
    parser.add_argument("--seconds", type=float, default=0, help="default: 30, or as many as the inputs need")
    parser.add_argument("--seed", type=int, default=None, help="default: by chance; it is printed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args()
    seed = told.seed if told.seed is not None else secrets.randbelow(2**31)
    seconds = told.seconds or (float("inf") if told.inputs else 30.0)
    share = -(-told.inputs // told.processes) if told.inputs else sys.maxsize
    if not told.json:
        print(f"seed {seed}, {told.processes} processes", flush=True)
    began = monotonic()
    with multiprocessing.get_context("spawn").Pool(told.processes) as pool:
        results = pool.starmap(fuzz, [(seed + number, share, seconds) for number in range(told.processes)])
    figures = {
        "seed": seed,
        "inputs": sum(each.inputs for each in results),
        "understood": sum(each.understood for each in results),
        "seconds": round(monotonic() - began, 1),
        "exceptions": sum(each.exceptions for each in results),
        "slowest_ms": round(1000 * max(each.slowest for each in results), 2),
        "growth_mib": round(max(each.growth for each in results), 1),
    }
    if told.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:12} {value:>14,}")
    for each in results:
        for raised in each.shown:
            print(raised, file=sys.stderr)
    return 1 if figures["exceptions"] else 0


if __name__ == "__main__":
    sys.exit(main())
