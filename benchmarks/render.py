"""How many texts a second are filled in, dressed, cut and put into octets on one core, beside one render per message.

python -m benchmarks.render [--json] [--people 1000]

By processor time, the best of several rounds, so that a busy machine does not count against either side.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from jinja2.sandbox import ImmutableSandboxedEnvironment

from broadcaster.campaigns import dress, render
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import CampaignVariant
from broadcaster.gateways.contract import Capabilities
from broadcaster.sms import user_data

#: 70 characters for a reader with a name of two, as it leaves
ONE = (
    "{{ name }}您好！{{ organisation }}通知：{{ day }}上午九点在社区礼堂开会，请大家都要带上学习材料和笔记本，"
    "不能来的请在今天下班以前告诉小组长。"
)
MORE = "会后还有一场讲座，讲冬天怎样用好燃气和取暖器，愿意听的可以留下来，也可以带家人一起。"
TEXTS = {"one_part": ONE, "three_parts": ONE + MORE * 3}
WORN = Dress("【晨晖】", "拒收请回复R")
CAN = Capabilities(window=100)
ROUNDS = 9


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--people", type=int, default=1_000, help="texts in one batch")
    given = parser.parse_args()
    found = figures(given.people)
    if given.json:
        print(json.dumps(found))
        return
    for name, row in found.items():
        print(
            f"{name:12} {row['characters']:4.0f} characters {row['parts']:2.0f} parts"
            f"  {row['messages_per_second']:9,.0f} messages/s  one by one {row['one_by_one_per_second']:8,.0f}"
            f"  ratio {row['ratio']:5.2f}"
        )


def figures(count: int) -> dict[str, dict[str, float]]:
    """For each text: how long it is, how many a second in batches, and one render per message."""
    people: list[dict[str, object]] = [
        {
            "name": f"张{chr(0x4E00 + number % 900)}",
            "organisation": f"第{number % 9 + 1}支部",
            "day": f"{number % 9 + 1}日",
            "seat": f"A{number}",
        }
        for number in range(count)
    ]
    result = {}
    for name, source in TEXTS.items():
        variant = CampaignVariant(position=0, name="", rule="", source=source, context={})
        first = dress.dressed(WORN, render.render(variant, people[:1])[0])
        single = ImmutableSandboxedEnvironment().from_string(source)
        in_batches = per_second(lambda v=variant: octets(render.render_whole(v, people)[0]), count)  # type: ignore[misc]
        one_by_one = per_second(lambda t=single: octets([t.render(person) for person in people]), count)  # type: ignore[misc]
        result[name] = {
            "characters": len(first),
            "parts": len(dress.cut(WORN, first, CAN).parts),
            "messages_per_second": round(in_batches),
            "one_by_one_per_second": round(one_by_one),
            "ratio": round(in_batches / one_by_one, 2),
        }
    return result


def octets(bodies: list[str]) -> list[bytes]:
    """What goes over the wire for these bodies."""
    return [user_data(part, cut.encoding) for cut in dress.handed_over(WORN, bodies, CAN) for part in cut.parts]


def per_second(work: Callable[[], object], count: int) -> float:
    """Messages for each second of the processor."""
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = max(best, count / (time.process_time() - began))
    return best


if __name__ == "__main__":
    main()
