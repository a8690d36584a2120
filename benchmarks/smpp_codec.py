"""Microseconds per PDU: ours beside smpplib's in the same run.

python -m benchmarks.smpp_codec [--json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from zoneinfo import ZoneInfo

import smpplib.smpp  # type: ignore[import-untyped]

from broadcaster.gateways.contract import OutboundPart
from broadcaster.gateways.smpp import receipts, tables, texts
from broadcaster.gateways.smpp.codec import SubmitEncoder, deliver, deliver_answer, submit_answer
from broadcaster.gateways.smpp.framing import Framer
from broadcaster.gateways.smpp.words import Command, Tag
from broadcaster.sms import Encoding
from subscribers.clock import monotonic

ZONE = ZoneInfo("Asia/Shanghai")
ROUNDS, TIMES = 5, 2000
PART = OutboundPart(
    part_id=1,
    msisdn="8619900000001",
    sender="106900011",
    text="社区食堂从下周一起供应老年套餐，请提前一天到服务站登记，行动不便的会员可以电话预约送餐。取暖季用气请注意通风。请互相转告",
    encoding=Encoding.UCS2,
    number=1,
    total=2,
    reference=7,
    client_reference="p1",
)
TEXT = b"id:0123456789 sub:001 dlvrd:001 submit date:2611221003 done date:2611221004 stat:DELIVRD err:000 text:"


class Client:
    """smpplib takes the sequence number from its client."""

    sequence = 7

    def next_sequence(self) -> int:
        return self.sequence


CLIENT = Client()


def microseconds(work: Callable[[], object]) -> float:
    """The best of several rounds, so that a busy machine does not count against either side."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = monotonic()
        for _ in range(TIMES):
            work()
        best = min(best, (monotonic() - began) / TIMES)
    return best * 1e6


def pairs() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Ours and theirs of each kind; both make and read the same octets."""
    encoder, body = SubmitEncoder(), texts.body(PART)

    def submit() -> bytes:
        return encoder.encode(7, PART.sender, PART.msisdn, texts.body(PART))

    def their_submit() -> bytes:
        pdu = smpplib.smpp.make_pdu(
            "submit_sm",
            client=CLIENT,
            source_addr=PART.sender,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=PART.msisdn,
            esm_class=body.esm_class,
            registered_delivery=1,
            data_coding=body.data_coding,
            short_message=b"\5\0\3\7\2\1" + PART.text.encode("utf-16-be"),
        )
        made: bytes = pdu.generate()
        return made

    if submit() != their_submit():
        raise SystemExit("ours and smpplib's submit_sm differ: the figures would mean nothing")
    answer = tables.encode(Command.SUBMIT_SM_RESP, 7, {"message_id": "0123456789"})
    fields: dict[str, tables.Value] = {"source_addr": PART.msisdn, "destination_addr": PART.sender, "esm_class": 4}
    told = tables.encode(Command.DELIVER_SM, 7, {**fields, "short_message": TEXT})
    tlvs: dict[int, bytes] = {Tag.MESSAGE_STATE: b"\2", Tag.RECEIPTED_MESSAGE_ID: b"0123456789\0"}
    with_tlvs = tables.encode(Command.DELIVER_SM, 7, {**fields, "short_message": TEXT}, tlvs=tlvs)
    read = deliver(told)

    def parse(pdu: bytes) -> Callable[[], object]:
        return lambda: smpplib.smpp.parse_pdu(pdu, client=CLIENT, allow_unknown_opt_params=True)

    def their_answer() -> bytes:
        made: bytes = smpplib.smpp.make_pdu("deliver_sm_resp", client=CLIENT).generate()
        return made

    return {
        "submit_sm_encode": (submit, their_submit),
        "submit_sm_resp_decode": (lambda: submit_answer(answer), parse(answer)),
        "deliver_sm_decode": (lambda: deliver(told), parse(told)),
        "deliver_sm_with_tlvs_decode": (lambda: deliver(with_tlvs), parse(with_tlvs)),
        "deliver_sm_resp_encode": (lambda: deliver_answer(read), their_answer),
    }


def figures() -> dict[str, dict[str, float]]:
    """Microseconds of both and their ratio; then what smpplib has nothing for."""
    result: dict[str, dict[str, float]] = {}
    for name, (ours, theirs) in pairs().items():
        mine, smpplibs = microseconds(ours), microseconds(theirs)
        result[name] = {"us": round(mine, 2), "smpplib_us": round(smpplibs, 1), "ratio": round(smpplibs / mine, 1)}
    fields: dict[str, tables.Value] = {"source_addr": PART.msisdn, "esm_class": 4, "short_message": TEXT}
    told = deliver(tables.encode(Command.DELIVER_SM, 7, fields))
    stream = tables.encode(Command.SUBMIT_SM_RESP, 7, {"message_id": "0123456789"}) * 100
    result["receipt_from_text"] = {"us": round(microseconds(lambda: receipts.receipt(told, "bench", ZONE)), 2)}
    framer = Framer()
    result["framing_of_one_pdu"] = {"us": round(microseconds(lambda: framer.feed(stream)) / 100, 3)}
    return result


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    found = figures()
    if options.json:
        print(json.dumps(found))
        return
    for name, row in found.items():
        beside = f"  smpplib {row['smpplib_us']:6.1f}  ratio {row['ratio']:5.1f}" if "ratio" in row else ""
        print(f"{name:28} {row['us']:8.2f} µs{beside}")


if __name__ == "__main__":
    main()
