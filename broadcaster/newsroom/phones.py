"""A variant as it will stand on a phone: what was written, what is added, where it is cut. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.campaigns.proof import Seen, VariantProof
from broadcaster.campaigns.reach import Reach, VariantReach
from broadcaster.language import in_a_row, listed, ntr, tr, translated
from broadcaster.newsroom.items import variant_words
from broadcaster.sms import Encoding
from broadcaster.web.figures import about, count, price
from broadcaster.words import LIST_FIELDS, list_field_word, skip_reason_word

#: whose text is shown
WHO = ("longest", "typical", "odd")
_GAUGE = 300


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a bubble: `written` by the editor, `added` by us, or by the `carrier`."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Bubble:
    """One part. `units` of `capacity` are used; `width` of 300 is its piece of the gauge."""

    stretches: Sequence[Stretch]
    units: int
    capacity: int
    x: int
    width: int
    used: int


def phone(proof: VariantProof, who: str, currency: str, reach: Reach, at: int) -> dict[str, Any]:
    """The values of `phone.html` for the variant at this place."""
    chosen = who if who in WHO else WHO[0]
    seen: Seen | None = getattr(proof, chosen)
    told: dict[str, Any] = {
        "name": variant_words(proof.name, [each.name for each in reach.variants]),
        "who": chosen,
        "people": people_words(reach.variants[at], is_exact=reach.is_exact),
        "skipped": skipped_words(reach.variants[at], is_exact=reach.is_exact),
        "lacking": [
            tr("{field} is missing for {names}.", field=_field_word(field), names=listed(names[:5]))
            for field, names in (proof.lacking or {}).items()
        ],
        "bubbles": (),
        "parts": "",
    }
    if seen is None:
        return told
    parts = ntr("{n} part", "{n} parts", proof.most)
    if proof.fewest != proof.most:
        parts = tr("{min}–{max} parts", min=proof.fewest, max=proof.most)
    return told | {
        "parts": parts,
        "cost": proof.dearest and tr("at most {cost} each", cost=price(proof.dearest, currency)),
        "reader": seen.reader,
        "bubbles": bubbles(seen),
        "about": _about(seen),
        "because": translated(seen.why.because).format(**seen.why.fields),
        "is_dear": bool(seen.why.forced_by),
    }


def _field_word(field: str) -> str:
    return list_field_word(field) if field in LIST_FIELDS else field


def people_words(variant: VariantReach, *, is_exact: bool) -> str:
    """How many get a variant, and how many of them can be sent to."""
    if not is_exact:
        if not variant.people:
            return tr("few people or nobody")
        people, reachable = about(variant.people), about(variant.reachable)
        return tr("about {n} people · about {reachable} can be sent to", n=people, reachable=reachable)
    people = ntr("{figure} person", "{figure} people", variant.people, figure=count(variant.people))
    if variant.reachable == variant.people:
        return people
    return f"{people} · {tr('{n} can be sent to', n=count(variant.reachable))}"


def skipped_words(variant: VariantReach, *, is_exact: bool) -> str:
    """Why the others cannot be sent to."""
    told = count if is_exact else about
    return listed(f"{skip_reason_word(reason)} {told(n)}" for reason, n in variant.skipped.items())


def _about(seen: Seen) -> str:
    """How long it is, in which encoding, whose it is, and what was added to it."""
    parts = ntr("{n} part", "{n} parts", seen.why.parts)
    encoding = tr("Chinese encoding") if seen.split.encoding is Encoding.UCS2 else tr("Latin encoding")
    added, by_carrier = len(seen.dress.signature + seen.dress.opt_out), seen.dress.place == "carrier"
    return in_a_row(
        tr("{length} characters, {parts}.", length=len(seen.text), parts=parts),
        tr("{n} more fit.", n=seen.why.room_left) if seen.why.room_left else "",
        tr("{n} less save a part.", n=seen.why.surplus) if seen.why.surplus else "",
        f"{encoding} · {tr('As {name} gets it.', name=seen.reader)}",
        tr("Underlined: added by the system ({n} characters).", n=added) if added else "",
        tr("The signature is added by the carrier, and counted here.") if by_carrier and seen.dress.signature else "",
    )


def bubbles(seen: Seen) -> list[Bubble]:
    """The parts of a text, each in stretches."""
    kinds = _kinds(seen)
    capacity = seen.split.capacity_single if len(seen.split.parts) == 1 else seen.split.capacity_part
    step = _GAUGE // max(len(seen.split.parts), 1)
    made, start = [], 0
    for at, (part, used) in enumerate(zip(seen.split.parts, seen.split.units, strict=True)):
        stretches = _stretches(part, kinds[start : start + len(part)])
        made.append(Bubble(stretches, used, capacity, at * step, step - 2, max((step - 2) * used // capacity, 1)))
        start += len(part)
    return made


def _kinds(seen: Seen) -> list[str]:
    """Of each character of the text whose it is."""
    own = seen.dress
    body = len(seen.body.rstrip())
    signature = len(own.signature)
    rest = len(seen.text) - body - signature
    if own.place == "front":
        return ["added"] * signature + ["written"] * body + ["added"] * rest
    last = "carrier" if own.place == "carrier" else "added"
    return ["written"] * body + ["added"] * rest + [last] * signature


def _stretches(part: str, kinds: Sequence[str]) -> list[Stretch]:
    found: list[Stretch] = []
    start = 0
    for at in range(1, len(part) + 1):
        if at == len(part) or kinds[at] != kinds[start]:
            found.append(Stretch(part[start:at], kinds[start]))
            start = at
    return found
