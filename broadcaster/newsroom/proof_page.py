"""Variants of an edition to one's own phone, followed to their receipts."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.access import own_phone
from broadcaster.delivery import proofs as sending
from broadcaster.language import listed, msgid
from broadcaster.newspaper import editions
from broadcaster.newsroom.checks import draw_check
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.drawing import done, draw
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.items import variant_words
from broadcaster.newsroom.members import Id
from broadcaster.newsroom.proofs import gateway_for, is_rehearsal, past_proofs, proofs_of, texts
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Invalid
from subscribers.msisdn import mask

router = APIRouter()


@takes(router, ONE + "/proof", needs=Right.EDIT)
def send(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Some variants to one's own phone; who has not named one does so first."""
    me = visit.signed_in
    chosen = sorted(
        {int(each) for each in form.texts("variant") if each.isascii() and each.isdigit() and len(each) < 4}
    )
    page = f"{PATH}/{id}/check" if form.text("from") == "check" else f"{PATH}/{id}"
    try:
        with house.begin() as tx:
            phone = own_phone.of_user(tx.session, me.user_id)
            if phone is None or not (phone.confirmed_at or is_rehearsal(house, gateway_for(house, phone.msisdn))):
                return RedirectResponse(f"/account/phone?{urlencode({'next': page})}", 303)
            gateway = gateway_for(house, phone.msisdn)
            made = texts(house, tx, visit, id, gateway, chosen, form.text("who"))
            if not made:
                raise Invalid("No variant was chosen.", hint="Tick those that shall go to your phone.")
            own_phone.claim_proofs(tx.session, me.user_id, len(made), now=tx.now)
            names = editions.variant_names(tx.session, editions.get(tx.session, visit.actor, id))
            # that somebody wants no messages is told to who has shown that the number is theirs, and to nobody else
            reaches = phone.confirmed_at is not None
            how = {"reaches": reaches, "rehearsed": is_rehearsal(house, gateway)}
            sending.send(tx.session, visit.actor, id, made, gateway, phone.msisdn, **how, now=tx.now)
            number = mask(phone.msisdn)
    except BroadsheetError as error:
        return draw_check(request, house, visit, id, error=error)
    told = msgid("On its way to {number}: {variants}.")
    if not reaches:
        told = msgid("On its way to {number}: {variants}. This installation rehearses: nothing reaches a phone.")
    named = listed(variant_words(each.variant, names) for each in made)
    return done(visit, f"{page}#proofs", told, number=number, variants=named)


@shows(router, ONE + "/proofs", needs=Right.SEE)
def follow(request: Request, house: House, visit: Here, id: Id, live: bool = False) -> Response:  # noqa: A002
    """What has become of them, and the texts that went; `?live=1` is only the part that changes."""
    with house.reading() as tx:
        if live:
            return draw(request, "proof_live.html", **proofs_of(house, tx, visit, id))
        edition = editions.get(tx.session, visit.actor, id)
        lines = past_proofs(house, tx, visit, id)
    return draw(request, "proofs.html", edition=edition, lines=lines)
