"""What a part costs at each gateway: set here from a day on, and told wherever a price is missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns import profile_changes
from broadcaster.language import listed, msgid, tr
from broadcaster.newsroom.drawing import done
from broadcaster.newsroom.editions import day_of
from broadcaster.newsroom.gateways import PATH, draw_gateways
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, takes
from broadcaster.web.figures import on_day, price
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid

router = APIRouter()

_MOST = 1_000


@takes(router, PATH + "/price", needs=Right.OPERATE)
def set_price(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another price of a part, from a day on."""
    gateway = form.text("of")
    try:
        if gateway not in house.gateways:
            raise Invalid("There is no gateway {name}.", hint="Choose one of the list.", name=repr(gateway[:40]))
        amount, currency = _price(form.text("price")), _currency(form.text("currency"))
        given = {"price": str(amount), "currency": currency}
        day = day_of(form)
        with house.begin() as tx:
            made = profile_changes.write(tx.session, visit.actor, gateway, given, day, now=tx.now)
            undo = {"gateway": gateway, "change": str(made.id)}
    except BroadsheetError as error:
        return draw_gateways(request, house, priced=form, error=error, field="price")
    told = msgid("A part costs {price} at {gateway} from {day} on.")
    return done(
        visit,
        PATH,
        told,
        price=price(amount, currency),
        gateway=gateway,
        day=on_day(day),
        undo=f"{PATH}/price/undo",
        undo_fields=undo,
    )


@takes(router, PATH + "/price/undo", needs=Right.OPERATE)
def take_back(house: House, visit: Here, form: Form) -> Response:
    """That change, as if it had not been made."""
    change = form.text("change")
    number = int(change) if change.isascii() and change.isdigit() and len(change) < 16 else 0
    with house.begin() as tx:
        profile_changes.undo(tx.session, visit.actor, form.text("gateway"), change_id=number, now=tx.now)
    return done(visit, PATH, msgid("The price is as it was."))


def unpriced(house: Runtime, tx: Tx, names: Iterable[str]) -> list[str]:
    """Those of these gateways at which no price is set today."""
    ways = house.ways(tx)
    return [name for name in names if name in ways and not ways[name].price]


def no_price(visit: Visit, names: Iterable[str]) -> dict[str, Any] | None:
    """The values of `no_price.html`: why nobody knows what it costs, and who can change that; None for no gateway."""
    if not (named := listed(names)):
        return None
    return {
        "words": tr("No price is set at the gateway {names}, so nobody knows what it costs.", names=named),
        "path": f"{PATH}#price-head" if Right.OPERATE in visit.actor.rights else "",
    }


def _price(typed: str) -> Decimal:
    text = unicodedata.normalize("NFKC", typed[:40]).strip().lstrip("¥$€ ")
    try:
        price = Decimal(text) if re.fullmatch(r"[0-9]{0,4}(\.[0-9]{0,6})?", text) else Decimal(0)
    except InvalidOperation:
        price = Decimal(0)
    if not 0 < price <= _MOST:
        raise Invalid("{text} is no price of a part.", hint="Write it like 0.048.", text=repr(typed[:40]))
    return price


def _currency(typed: str) -> str:
    text = unicodedata.normalize("NFKC", typed[:40]).strip().upper()
    if not re.fullmatch("[A-Z]{3}", text):
        raise Invalid("{text} is no currency.", hint="It has three letters: CNY.", text=repr(typed[:40]))
    return text
