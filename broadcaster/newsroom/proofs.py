"""An edition on the phones of real readers, for pages that show it while somebody writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from broadcaster.campaigns import compose, proof
from broadcaster.campaigns.models import Campaign
from broadcaster.newsroom.members import today
from broadcaster.newsroom.phones import phone
from broadcaster.runtime import Runtime
from subscribers.actor import Actor
from subscribers.clock import monotonic
from subscribers.db import Tx

#: seconds for which the readers of a proof stay the same; who they are is looked up again after that
KEPT_FOR = 60.0
_MOST_KEPT = 200
_Sample = list[list[int]]
_kept: WeakKeyDictionary[Engine, dict[tuple[str, ...], tuple[float, _Sample]]] = WeakKeyDictionary()


def phones(
    house: Runtime, tx: Tx, actor: Actor, number: int, *, who: str = "", instead: Mapping[int, str] | None = None
) -> list[dict[str, Any]]:
    """The values of `phone.html` for each variant of an edition."""
    draft = unsaved(house, tx, actor, number, instead=instead)
    way = house.ways(tx)[house.route(draft).default]
    on = today(house, tx)
    proofs = proof.look(tx.session, actor, draft, way, _sample(house, tx, actor, draft), on=on)
    return [phone(each, who, way.currency) for each in proofs]


def unsaved(house: Runtime, tx: Tx, actor: Actor, number: int, *, instead: Mapping[int, str] | None = None) -> Campaign:
    """The campaign that would be made of an edition for everyone; it is not stored."""
    paper = house.settings.paper
    return compose.edition_unsaved(
        tx.session,
        actor,
        number,
        rule="everyone",
        paper=paper.name,
        language=paper.language,
        dress=house.dress,
        now=tx.now,
        instead=instead,
    )


def _sample(house: Runtime, tx: Tx, actor: Actor, draft: Campaign) -> _Sample:
    on = today(house, tx)
    kept = _kept.setdefault(house.engine, {})
    key = (on.isoformat(), draft.under, *(each.rule for each in draft.variants))
    at, found = kept.get(key, (0.0, []))
    if found and monotonic() - at < KEPT_FOR:
        return found
    found = proof.sample(tx.session, actor, draft, on=on)
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = (monotonic(), found)
    return found
