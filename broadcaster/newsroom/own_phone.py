"""One's own phone, to which proofs go: noted here, and shown to be one's own by a code that goes there."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.access import own_phone
from broadcaster.campaigns.dress import Dress, dressed
from broadcaster.delivery import proofs as sending
from broadcaster.language import msgid
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.proofs import gateway_for, is_rehearsal
from broadcaster.replies.handling import reply_text
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, own_path, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Conflict, Invalid
from subscribers.models import NumberKind
from subscribers.msisdn import mask, parse

router = APIRouter()

PATH = "/account/phone"


@shows(router, PATH, needs=Right.EDIT)
def phone(request: Request, house: House, visit: Here, next: str = "/") -> Response:  # noqa: A002
    """The phone that one has noted, and the forms for another one and for its code."""
    return _draw(request, house, visit, next)


@takes(router, PATH, needs=Right.EDIT)
def note(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another phone; a code goes to it."""
    onward, written = own_path(form.text("next")), form.text("number")
    try:
        number = parse(written, house.settings.paper.region)
        if number.kind != NumberKind.MOBILE:
            raise Invalid("{number} is a landline: it takes no messages.", number=mask(number.msisdn))
        gateway = gateway_for(house, number.msisdn)
        with house.begin() as tx:
            made = own_phone.put(tx.session, visit.signed_in.user_id, number.msisdn, now=tx.now)
            if not is_rehearsal(house, gateway):
                own_phone.claim_code(tx.session, visit.signed_in.user_id, number.msisdn, house.secret, now=tx.now)
                _send_code(house, tx, visit, gateway, own_phone.code_for(made, house.secret), number.msisdn)
    except BroadsheetError as error:
        return _draw(request, house, visit, onward, error, written)
    if is_rehearsal(house, gateway):
        return done(visit, onward, msgid("Noted: {number}."), number=mask(number.msisdn))
    return _onward(visit, onward)


@takes(router, PATH + "/code", needs=Right.EDIT)
def confirm(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The code."""
    onward = own_path(form.text("next"))
    try:
        with house.begin() as tx:
            # a wrong one is counted, too
            is_right = own_phone.confirm(
                tx.session, visit.signed_in.user_id, form.text("code"), house.secret, now=tx.now
            )
        if not is_right:
            raise Invalid(
                "The code is not right.", hint="Type the six digits of the message; they are good for 15 minutes."
            )
    except BroadsheetError as error:
        return _draw(request, house, visit, onward, error, field="code")
    return done(visit, onward, msgid("This phone is yours now; proofs go there."))


def _onward(visit: Visit, onward: str) -> Response:
    return done(
        visit, f"{PATH}?next={onward}", msgid("A code is on its way to this number. Who has opted out gets none.")
    )


def _send_code(house: Runtime, tx: Tx, visit: Visit, gateway: str, code: str, msisdn: str) -> None:
    desk = house.desk(tx).at(gateway)
    worn = Dress(desk.signature, place=desk.place)
    text = dressed(worn, reply_text("code", desk, code=code))
    try:
        with tx.session.begin_nested():
            sending.send_code(tx.session, visit.actor, text, worn, desk.gateways[gateway], gateway, msisdn)
    except Conflict:
        # whoever has this number wants no messages: nobody who names it is told
        return


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    onward: str,
    error: BroadsheetError | None = None,
    number: str = "",
    *,
    field: str = "number",
) -> Response:
    with house.reading() as tx:
        kept = own_phone.of_user(tx.session, visit.signed_in.user_id)
    return draw(
        request,
        "account_phone.html",
        status=422 if error else 200,
        trouble=trouble(error, field) if error else None,
        kept=mask(kept.msisdn) if kept else "",
        is_confirmed=bool(kept and kept.confirmed_at),
        rehearses=is_rehearsal(house, gateway_for(house, kept.msisdn if kept else "")),
        number=number,
        next=own_path(onward),
    )
