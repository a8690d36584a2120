"""How soon the phone beside a text shows what was typed: in a real browser, at the size of a province.

python -m benchmarks.preview [--members 1000000] [--store sqlite|postgresql] [--keys 50] [--users 20] [--json]

Somebody types at an editor's pace: into the sentence of an item in an edition, and into a variant's text written by
hand. From each sign that the box takes (its input event) to the change of the page that shows it, once with nobody else
there and once beside users who look at pages. A sign that was overtaken by a later one counts until it was seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks._newsroom import furnish, steps
from benchmarks._users import User, at_work
from benchmarks.pages import house_for, serving
from tests.browsers import chromium, looking

#: milliseconds: what the design allows from a sign to its being seen
BOUND = 150
#: seconds between two signs, from a run of quick ones to a short thought
_BETWEEN = (0.06, 0.30)
#: where it is typed: page, box
BOXES = {
    "sentence of an item": ("/editions/1", "textarea[name=sms]"),
    "text of a variant": ("/editions/1/variants/0", "#body"),
}
_WATCH = """box => {
    const seen = (window.typed = []);
    const shown = () => [...document.querySelectorAll("#phones .bubble span")].map((one) => one.textContent).join("");
    const look = () => {
        const now = performance.now();
        const text = shown();
        for (const one of seen) if (one.after === null && text.includes(one.text)) one.after = now - one.at;
    };
    box.addEventListener("input", (event) => seen.push({ text: box.value, at: event.timeStamp, after: null }), true);
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
_ANSWERS = """() => performance.getEntriesByType("resource")
    .filter((one) => ["fetch", "xmlhttprequest"].includes(one.initiatorType) && one.responseEnd)
    .map((one) => one.responseEnd - one.requestStart)"""


def typed(page: Page, where: str, keys: int, chance: random.Random) -> dict[str, Any]:
    """Type so many signs; milliseconds until each was seen, and until its answer was there."""
    path, box = BOXES[where]
    page.goto(path)
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")
    field = page.locator(box).first
    field.fill("")
    field.focus()
    page.wait_for_timeout(1000)
    field.evaluate(_WATCH)
    page.evaluate("() => performance.clearResourceTimings()")
    for n in range(keys):
        # signs that stand nowhere else on the page, each once
        page.keyboard.insert_text(chr(0x5F00 + n))
        page.wait_for_timeout(chance.uniform(*_BETWEEN) * 1000)
    page.wait_for_timeout(2000)
    after = [one["after"] for one in page.evaluate("() => window.typed")]
    seen = [each for each in after if each is not None]
    answers = page.evaluate(_ANSWERS)
    return {
        "signs": len(after),
        "never_seen": len(after) - len(seen),
        "median_ms": round(statistics.median(seen), 1),
        "p95_ms": _p95(seen),
        "worst_ms": round(max(seen), 1),
        "answers": len(answers),
        "answer_median_ms": round(statistics.median(answers), 1),
        "answer_p95_ms": _p95(answers),
        "load": round(os.getloadavg()[0], 1),
    }


def _p95(each: list[float]) -> float:
    return round(statistics.quantiles(each, n=20, method="inclusive")[-1], 1)


def main() -> int:
    """Measure and print; 1 if a sign was never seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--database", default="", metavar="URL", help="one that is kept, instead of --store")
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--rest", type=float, default=6.0, help="seconds that a user rests between two pages")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    given.rate = 200
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        folder.chmod(0o755)
        with house_for(folder, given) as house:
            tokens = furnish(house, given.users + 1)
            with house.reading() as tx:
                all_steps = steps(tx.session)
            with serving(folder) as (address, _), chromium() as browser, looking(browser, address) as look:
                look.context.add_cookies([{"name": "broadsheet", "value": tokens[0], "url": address}])
                chance = random.Random(1)
                for where in BOXES:
                    typed(look.page, where, 10, chance)
                    found[where] = typed(look.page, where, given.keys, chance)
                if given.users:
                    # the first look at each page compiles its template
                    first = User(address, tokens[1], 999)
                    first.come_in()
                    for step in all_steps:
                        first.look(step)
                    with at_work(address, tokens[1:], all_steps, given.rest):
                        look.page.wait_for_timeout(given.rest * 1000)
                        for where in BOXES:
                            found[f"{where}, {given.users} users"] = typed(look.page, where, given.keys, chance)
    if given.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        draw(found)
    return int(any(each["never_seen"] for each in found.values()))


def draw(found: Mapping[str, Mapping[str, Any]]) -> None:
    """For people."""
    heads = ("median", "95 %", "worst", "answer", "95 %")
    print(f"{'milliseconds until a sign is seen':36}" + "".join(f"{each:>8}" for each in heads) + f"{'load':>6}")
    for name, row in found.items():
        told = (row[each] for each in ("median_ms", "p95_ms", "worst_ms", "answer_median_ms", "answer_p95_ms"))
        mark = "  above" if row["p95_ms"] > BOUND else ""
        never = f"  {row['never_seen']} never" if row["never_seen"] else ""
        print(f"{name:36}" + "".join(f"{each:8}" for each in told) + f"{row['load']:6}{mark}{never}")


if __name__ == "__main__":
    sys.exit(main())
