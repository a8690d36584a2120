"""Who gets which variant, in words: people, whom it cannot reach, who is in two. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broadcaster.campaigns.reach import Reach, VariantReach
from broadcaster.language import listed, ntr, tr
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newsroom.items import audience_words, variant_words
from broadcaster.newsroom.phones import skipped_words
from broadcaster.web.figures import about, count

#: overlaps that a page tells of
_TOLD = 12


def shares(reach: Reach) -> dict[str, Any]:
    """The values of `shares.html`."""
    told = count if reach.is_exact else about
    return {
        "shares": [
            {
                "name": variant_words(each.name, [one.name for one in reach.variants]),
                "people": told(each.people),
                "reachable": told(each.reachable),
                "skipped": skipped_words(each, is_exact=reach.is_exact),
                "also": _also(each, is_exact=reach.is_exact),
            }
            for each in reach.variants
        ],
        "all_people": told(reach.people),
        "all_reachable": told(reach.reachable),
        "is_exact": reach.is_exact,
        "left_out": told(reach.left_out) if reach.left_out else "",
    }


def _also(variant: VariantReach, *, is_exact: bool) -> str:
    """Who is in its segment and gets an earlier one; of everyone, all are."""
    if variant.name in EVERYONE:
        return ""
    told = count if is_exact else about
    return listed(f"{audience_words([name])} {told(n)}" for name, n in variant.earlier.items())


def remarks(reach: Reach, names: Sequence[str]) -> list[dict[str, Any]]:
    """What is odd about it, each with the order of variants that would mend it."""
    found = []
    told = count if reach.is_exact else about
    for variant in reach.variants:
        # of one without people it is said that others have them all
        if variant.name in EVERYONE or not variant.people:
            continue
        for first, n in variant.earlier.items():
            order = _before(names, variant, first)
            if not order:
                # this order is the only one in which each of them has somebody
                continue
            people = ntr("{figure} person is", "{figure} people are", n, figure=told(n))
            both = {"first": audience_words([first]), "second": audience_words([variant.name])}
            told_of = line(tr("{people} in {first} and in {second}, and get {first} only.", people=people, **both))
            found.append(
                told_of
                | {
                    "hint": tr("Nobody gets two; the order of the variants decides."),
                    "order": order,
                    "button": tr("Put {second} before {first}", **both),
                }
            )
        if variant.people and not variant.reachable:
            why = skipped_words(variant, is_exact=reach.is_exact)
            found.append(line(tr("Nobody in it can be sent to: {why}.", why=why), audience_words([variant.name])))
    if reach.left_out:
        people = ntr("{figure} person is", "{figure} people are", reach.left_out, figure=told(reach.left_out))
        told_of = line(tr("{people} in none of the variants, and get nothing.", people=people))
        button = tr("Add a variant for everyone else")
        found.append(told_of | {"order": "\n".join([*names, "everyone"]), "button": button})
    return found[:_TOLD]


def taken(reach: Reach, at: int) -> dict[str, str]:
    """Of a variant without people, which earlier ones have those of its segment, and the order that gives it some.

    Empty if somebody gets it, or nobody is in its segment.
    """
    variant = reach.variants[at]
    if variant.people or not variant.earlier:
        return {}
    names = [each.name for each in reach.variants]
    firsts = sorted(variant.earlier, key=names.index)
    n = sum(variant.earlier.values())
    people = ntr("{figure} person is", "{figure} people are", n, figure=(count if reach.is_exact else about)(n))
    fields = {"people": people, "first": listed(map(_named, firsts))}
    words = tr("{people} in it, but {first} comes before it and has them all.", **fields)
    if len(firsts) > 1:
        words = tr("{people} in it, but these come before it and have them all: {first}.", **fields)
    told = {"words": words, "hint": "", "order": "", "button": ""}
    if variant.name in EVERYONE:
        return told
    for first in firsts:
        if order := _before(names, variant, first):
            button = tr("Put {second} before {first}", first=_named(first), second=_named(variant.name))
            return told | {"order": order, "button": button}
    return told | {"hint": tr("If it stood before, nobody would be left there.")}


def _named(name: str) -> str:
    return audience_words([name])


def _before(names: Sequence[str], moved: VariantReach, first: str) -> str:
    """The order with `moved` before `first`; empty if another one would lose all its people to it."""
    at, end = names.index(first), names.index(moved.name)
    if not moved.emptied.isdisjoint(names[at:end]):
        return ""
    return "\n".join([*names[:at], moved.name, *names[at:end], *names[end + 1 :]])


def line(words: str, where: str = "", *, stops: bool = False) -> dict[str, Any]:
    """A remark of the check, of which nothing more is known yet."""
    more = {
        "hint": "",
        "item": None,
        "own": None,
        "can_repair": False,
        "audiences": (),
        "order": "",
        "button": "",
        "settings": False,
    }
    return {"words": words, "where": where, "stops": stops, **more}
