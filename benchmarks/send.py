"""The press from the first claim until every part is `delivered` in the database, beside smpplib alone in the same run.

python -m benchmarks.send [--store sqlite] [--broker redis] [--messages N] [--rounds N] [--json]

Both talk to one lean carrier in a process of its own, over one bind with a window of 100, with receipts. smpplib keeps
nothing. The product does all that it does: members are imported, a campaign is made and sent by its own commands,
`gateways run` hands it over, on a PostgreSQL of its own with fsync on, or on SQLite; with a broker a worker and a
beat run beside it, as on a server. Texts have three fields and are
of one part, and of three. Both take turns; the figures are medians.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import _carrier, _product, _profile, _rivals

#: what a claim may say only if the carrier is much faster than it
CARRIER_LEAST = 60_000
WORDS = {1: "one_part", 3: "three_parts"}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--broker", choices=("redis",), default="", help="with a worker and a beat beside the sender")
    parser.add_argument("--messages", type=int, default=10_000, help="members, each of whom gets a message")
    parser.add_argument("--parts", type=int, choices=tuple(WORDS), action="append", help="of a message: 1, 3, or both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=int, default=_rivals.WINDOW, help="of the product; smpplib's is 100")
    parser.add_argument("--receipt-delay", type=float, default=50, help="milliseconds from a part to its receipt")
    parser.add_argument("--hold", action="store_true", help="receipts only after all parts: each half alone")
    parser.add_argument("--carrier", choices=("c", "python"), default="", help="in which language")
    parser.add_argument("--profile", type=Path, help="how the threads spend their processor time, beside this")
    parser.add_argument("--statements", action="store_true", help="what each of PostgreSQL's statements costs a part")
    parser.add_argument("--peers", action="store_true", help="other programs that this machine can run, once each")
    asked = parser.parse_args()
    # whoever ends it ends its servers, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = figures(asked)
    print(json.dumps(found) if asked.json else shown(found))


def figures(asked: argparse.Namespace) -> dict[str, object]:
    """All of it."""
    language, _ = _carrier.command(asked.carrier)
    most = _carrier.most(60_000, asked.receipt_delay)
    tell(f"carrier in {language}: takes {most:,.0f} parts a second with receipts")
    if most < CARRIER_LEAST:
        tell("this carrier is so slow here that it may be what is measured")
    found: dict[str, object] = {
        "store": asked.store,
        "broker": asked.broker or "none",
        "carrier": language,
        "carrier_parts_per_second": round(most),
    }
    with tempfile.TemporaryDirectory(prefix="bench-send-") as place:
        folder = Path(place)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        folder.chmod(0o755)
        with _product.ledger(
            asked.store,
            folder,
            asked.messages,
            broker=asked.broker,
            counting=bool(asked.profile) or asked.statements,
        ) as store:
            tell(f"{asked.messages:,} members are in {asked.store}")
            lengths = {WORDS[each]: interleaved(asked, store, each) for each in asked.parts or WORDS}
    if asked.peers:
        found["peers"], found["peers_left_out"] = _rivals.peers(asked.receipt_delay)
    first = next(iter(lengths.values()))
    return found | first | {"messages": asked.messages, "lengths": lengths}


def interleaved(asked: argparse.Namespace, store: _product.Ledger, parts_each: int) -> dict[str, float]:
    """The medians for texts of so many parts."""
    parts = asked.messages * parts_each
    ours, theirs = [], []
    for number in range(asked.rounds):
        theirs.append(_rivals.run_smpplib(min(parts, 20_000), parts_each, asked.receipt_delay))
        ours.append(
            _product.run(
                store,
                asked.messages,
                parts_each,
                window=asked.window,
                receipt_delay=asked.receipt_delay,
                hold=asked.hold,
                profile=asked.profile,
            )
        )
        if asked.profile:
            text = _profile.told(asked.profile, parts) + "\n\n" + store.statements(parts)
            asked.profile.with_suffix(f".{parts_each}.{number + 1}.txt").write_text(text + "\n", encoding="utf-8")
        tell(
            f"{WORDS[parts_each]}, {number + 1}: {ours[-1]['parts_per_second']:,.0f} parts/s "
            f"({ours[-1]['cpu_s_per_1000']:.3f} s of processor per 1,000), "
            f"smpplib alone {theirs[-1]['parts_per_second']:,.0f} ({theirs[-1]['cpu_s_per_1000']:.3f})"
        )
        if not asked.profile:
            for verb in store.verbs:
                tell(f"  {verb[0]}: " + _profile.by_thread(store.folder / f"threads.{verb[0]}", parts))
        if asked.statements:
            tell(store.statements(parts))
    found = {key: statistics.median(one[key] for one in ours) for key in ours[0]}
    found["smpplib_alone"] = statistics.median(one["parts_per_second"] for one in theirs)
    found["smpplib_cpu_s_per_1000"] = statistics.median(one["cpu_s_per_1000"] for one in theirs)
    found["ratio"] = found["parts_per_second"] / found["smpplib_alone"]
    # a busy machine gives each thread its share: what the work itself costs is told by the processor
    found["cpu_ratio"] = found["smpplib_cpu_s_per_1000"] / found["cpu_s_per_1000"]
    return {key: tidy(value) for key, value in found.items()}


def tidy(value: float) -> float:
    """As many digits as mean something."""
    return round(value) if value >= 100 else round(value, 1 if value >= 10 else 4)


def shown(found: dict[str, object]) -> str:
    """The same as a table."""
    lengths = found["lengths"]
    assert isinstance(lengths, dict)
    lines = [f"{key:28} {found[key]}" for key in ("store", "broker", "messages", "carrier", "carrier_parts_per_second")]
    lines.append(f"{'':28} " + "".join(f"{name:>14}" for name in lengths))
    keys = next(iter(lengths.values()))
    lines += [f"{key:28} " + "".join(f"{each[key]:>14,}" for each in lengths.values()) for key in keys]
    peers = found.get("peers", {})
    left_out = found.get("peers_left_out", {})
    assert isinstance(peers, dict)
    assert isinstance(left_out, dict)
    for name, its in peers.items():
        told = f"{its['parts_per_second']:,.0f} parts/s, {its['cpu_s_per_1000']:.3f} s of processor per 1,000"
        lines.append(f"{name:28} {told}")
    lines += [f"{name:28} skipped: {why}" for name, why in left_out.items()]
    return "\n".join(lines)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
