"""Captures as Wireshark's dissector reads them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Layer = dict[str, Any]
COMMAND = "smpp.command_id"
#: of what the dissector remarks on in a layer, the gravest; a connection that begins or ends is a note, which is less
WORST, WARNING = "worst", 0x600000
BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM = "0x00000009", "0x00000004", "0x00000005"
QUERY_SM, QUERY_SM_RESP, CANCEL_SM, CANCEL_SM_RESP = "0x00000003", "0x80000003", "0x00000008", "0x80000008"


def dissect(path: Path, port: int) -> list[list[tuple[str, Layer]]]:
    """The layers of each packet: their names and fields. Of fields that occur twice, the last."""
    wanted = ["-d", f"tcp.port=={port},smpp", "-o", "smpp.decode_sms_over_smpp:GSM 7-bit"]
    checked = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    read = subprocess.run(
        ["tshark", "-r", path, "-n", "-T", "json", *wanted, *checked], capture_output=True, check=False
    )
    assert read.returncode == 0, read.stderr
    # it writes a surrogate pair as two characters
    text = read.stdout.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
    return [list(_layers(packet)) for packet in json.loads(text, object_pairs_hook=list)]


def complaints(packets: Iterable[list[tuple[str, Layer]]]) -> list[str]:
    """What the dissector objects to: what it cannot read, wrong checksums, octets lost or out of order."""
    return [
        f"packet {number}: {name}"
        for number, packet in enumerate(packets, start=1)
        for name, fields in packet
        if name.startswith("_ws.") or fields[WORST] >= WARNING
    ]


def pdus(packets: Iterable[list[tuple[str, Layer]]]) -> list[Layer]:
    """The SMPP PDUs, in order, each with the fields of its user data header."""
    found: list[Layer] = []
    for packet in packets:
        for name, fields in packet:
            if name == "smpp":
                found.append(fields)
            elif name == "gsm_sms_ud":
                found[-1].update(fields)
    return found


def _layers(packet: list[tuple[str, Any]]) -> Iterator[tuple[str, Layer]]:
    for name, fields in dict(dict(packet)["_source"])["layers"]:
        flat = list(_flat(fields))
        remarks = (int(value) for field, value in flat if field == "_ws.expert.severity")
        yield name, dict(flat) | {WORST: max(remarks, default=0)}


def _flat(fields: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """A field with fields below it, and those, as one level."""
    for name, value in fields:
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            yield from _flat(value)
        yield name, value
