"""An edition on the phones of real readers, for pages that show it while somebody writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from broadcaster.access import own_phone
from broadcaster.campaigns import compose, proof
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.profiles import worn
from broadcaster.campaigns.proof import Sampled
from broadcaster.campaigns.reach import Reach, reach
from broadcaster.delivery import proofs as sending
from broadcaster.delivery.batches import ONLY_REHEARSED
from broadcaster.delivery.proofs import ProofText, SentProof
from broadcaster.delivery.states import FINAL, WAITING, State
from broadcaster.language import ntr, tr
from broadcaster.newspaper import editions
from broadcaster.newsroom.items import variant_words
from broadcaster.newsroom.members import today
from broadcaster.newsroom.phones import WHO, phone
from broadcaster.newsroom.remembered import ABOUT_FOR, known_of, remembered
from broadcaster.newsroom.shares import taken
from broadcaster.runtime import Runtime
from broadcaster.web.figures import when
from broadcaster.web.visits import Visit
from broadcaster.words import failure_reason_word, state_word
from subscribers.actor import Actor, Right
from subscribers.db import Tx
from subscribers.drawn import span
from subscribers.errors import Conflict
from subscribers.msisdn import mask, operator

#: seconds for which the readers of a proof stay the same; who they are is looked up again after that
KEPT_FOR = 60.0
#: for which proofs to one's own phone are told of
TOLD_FOR = timedelta(hours=1)
#: for which their texts are shown
SHOWN_FOR = timedelta(days=30)
#: after which something that waits needs a word of why
_SLOW = timedelta(seconds=30)


def phones(
    house: Runtime,
    tx: Tx,
    actor: Actor,
    number: int,
    *,
    who: str = "",
    instead: Mapping[int, str] | None = None,
    bodies: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
    only: int | None = None,
    reached: Reach | None = None,
) -> list[dict[str, Any]]:
    """The values of `phone.html` for each variant of an edition; `only`: for the one at this place."""
    draft = unsaved(house, tx, actor, number, instead=instead, bodies=bodies, names=names)
    way = house.ways(tx)[house.route(draft).default]
    on = today(house, tx)
    found = _sample(house, tx, actor, draft)
    proofs = proof.look(tx.session, actor, draft, way, found.members, only=only, on=on)
    # who types is shown the numbers of a moment ago
    reached = reached or _reach(house, tx, actor, draft, kept_for=KEPT_FOR if instead or bodies else 0)
    variants, read = f"/editions/{number}/variants", "\n".join(each.name for each in draft.variants)
    return [
        phone(each, who, way.currency, reached, at)
        | {"variants": variants, "read": read, "path": f"{variants}/{at}", "taken": taken(reached, at)}
        | {"is_sought": at in found.sought}
        for at, each in enumerate(proofs, only or 0)
    ]


def reached_by(house: Runtime, tx: Tx, actor: Actor, number: int) -> Reach:
    """Who gets which variant now."""
    return _reach(house, tx, actor, unsaved(house, tx, actor, number))


def _reach(house: Runtime, tx: Tx, actor: Actor, draft: Campaign, *, kept_for: float = 0) -> Reach:
    """The same of a draft, as it was so many seconds ago at most; what is told from a draw lasts longer."""
    on = today(house, tx)
    rules = (f"{each.name}={each.rule}" for each in draft.variants)
    return remembered(
        tx.session,
        # with somebody new, others are drawn
        ("reach", on.isoformat(), str(span(tx.session)), draft.under, *rules),
        lambda found: kept_for if found.is_exact else ABOUT_FOR,
        lambda: reach(tx.session, actor, draft, house.route(draft), on=on, known=known_of(tx, draft.under, on)),
    )


def texts(
    house: Runtime, tx: Tx, visit: Visit, number: int, gateway: str, chosen: Collection[int], who: str
) -> list[ProofText]:
    """The texts of some variants, by their positions, as the page shows them and this gateway carries them.

    Raises `Conflict` for one that has no text.
    """
    draft = unsaved(house, tx, visit.actor, number)
    way = house.ways(tx)[gateway]
    proofs = proof.look(
        tx.session, visit.actor, draft, way, _sample(house, tx, visit.actor, draft).members, on=today(house, tx)
    )
    # what has no campaign is handed over in the width of the configuration
    can = house.desk(tx).gateways[gateway]
    made = []
    for each in (one for at, one in enumerate(proofs) if at in chosen):
        seen = getattr(each, who if who in WHO else WHO[0])
        if seen is None:
            raise Conflict(
                "There is no text for {variant} yet: nobody is in it, or a value is missing.",
                hint="Choose another variant, or look at the check.",
                variant=variant_words(each.name, [one.name for one in proofs]),
            )
        made.append(ProofText(each.name, seen.text, seen.dress, can))
    return made


def dresses_of(house: Runtime, tx: Tx, draft: Campaign) -> dict[str, Dress]:
    """By gateway, how the texts of a draft would be dressed now."""
    ways = house.ways(tx)
    names = house.route(draft).gateways
    return {name: worn(draft, name, ways[name].capabilities, ways[name].profile)[0] for name in names}


def gateway_for(house: Runtime, msisdn: str) -> str:
    """By which gateway a broadcast would go to this number."""
    route = house.route(Campaign(lane=Lane.BULK))
    return route.by_operator.get((msisdn and operator(msisdn)) or "", route.default)


def is_rehearsal(house: Runtime, gateway: str) -> bool:
    """Whether nothing that goes by this gateway reaches a phone."""
    return house.gateways[gateway].rehearses


def proof_panel(house: Runtime, tx: Tx, visit: Visit, number: int) -> dict[str, Any]:
    """The values of `proof.html`."""
    if Right.EDIT not in visit.actor.rights:
        return {"may_try": False, "proofs": (), "is_live": False}
    kept = own_phone.of_user(tx.session, visit.signed_in.user_id)
    return {
        "may_try": True,
        "own_phone": mask(kept.msisdn) if kept else "",
        "rehearses": is_rehearsal(house, gateway_for(house, kept.msisdn if kept else "")),
        **proofs_of(house, tx, visit, number),
    }


def proofs_of(house: Runtime, tx: Tx, visit: Visit, number: int) -> dict[str, Any]:
    """What has become of the newest proofs to one's own phone, and whether more will."""
    found = sending.sent(tx.session, visit.actor, number, since=tx.now - TOLD_FOR)
    names = _variants(tx, visit, number) if found else []
    lines = [_proof_line(house, tx, each, names) for each in found]
    return {"number": number, "proofs": lines, "is_live": any(each.state not in FINAL for each in found)}


def past_proofs(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """The same of those of the last month, each with the parts of its text as they left."""
    since = tx.now - SHOWN_FOR
    texts = sending.texts(tx.session, visit.actor, number, since=since)
    found = sending.sent(tx.session, visit.actor, number, since=since)
    names = _variants(tx, visit, number) if found else []
    return [_proof_line(house, tx, each, names) | {"texts": texts.get(each.message_id, ())} for each in found]


def _variants(tx: Tx, visit: Visit, number: int) -> list[str]:
    return editions.variant_names(tx.session, editions.get(tx.session, visit.actor, number))


def _proof_line(house: Runtime, tx: Tx, proof: SentProof, names: Sequence[str]) -> dict[str, Any]:
    rehearsed = proof.rehearsed
    if rehearsed is None:
        rehearsed = proof.gateway in house.gateways and is_rehearsal(house, proof.gateway)
    words = _fate(proof)
    return {
        "id": proof.message_id,
        "variant": variant_words(proof.variant, names),
        "at": when(proof.sent_at, tx.now, house.settings.zone),
        "mark": "" if rehearsed else _mark(proof.state),
        "words": tr("Rehearsal: {what}", what=words) if rehearsed else words,
        "hint": _hint(proof, is_slow=tx.now - proof.sent_at > _SLOW),
    }


def _mark(state: State) -> str:
    """What stands before a fate that is sealed."""
    if state is State.DELIVERED:
        return "✓ "
    return "✕ " if state in FINAL else ""


def _fate(proof: SentProof) -> str:
    parts = ntr("{n} part", "{n} parts", proof.parts)
    if proof.state is State.DELIVERED or not proof.reason:
        return f"{state_word(proof.state.word)} · {parts}"
    return f"{state_word(proof.state.word)} · {parts} · {failure_reason_word(proof.reason)}"


def _hint(proof: SentProof, *, is_slow: bool) -> str:
    if proof.state in WAITING and is_slow:
        return tr("Nobody hands it over: the connection to the carrier is not there, or no sender runs.")
    if proof.reason == ONLY_REHEARSED:
        return tr("Send it to your phone once more: then it goes there.")
    if proof.state is State.UNKNOWN:
        return tr("The carrier did not answer: look at the phone.")
    return ""


def unsaved(
    house: Runtime,
    tx: Tx,
    actor: Actor,
    number: int,
    *,
    instead: Mapping[int, str] | None = None,
    bodies: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
) -> Campaign:
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
        pages=house.settings.web.pages,
        now=tx.now,
        instead=instead,
        bodies=bodies,
        names=names,
    )


def _sample(house: Runtime, tx: Tx, actor: Actor, draft: Campaign) -> Sampled:
    on = today(house, tx)
    key = ("sample", on.isoformat(), str(span(tx.session)), draft.under, *(each.rule for each in draft.variants))
    known = known_of(tx, draft.under, on)
    is_new = []

    def find() -> Sampled:
        is_new.append(True)
        return proof.sample(tx.session, actor, draft, on=on, known=known)

    # those of a large registry are drawn, and who is in a rare rule is looked for in pieces
    found = remembered(tx.session, key, lambda _: ABOUT_FOR if known else KEPT_FOR, find)
    if found.sought and not is_new:
        proof.look_on(tx.session, actor, draft, found, on=on)
    return found
