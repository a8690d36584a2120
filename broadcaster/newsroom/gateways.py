"""The gateways of the configuration, and one message through one of them to one's own phone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.delivery import leases
from broadcaster.gateways.contract import Gateway
from broadcaster.language import retold_whole, tr, translated
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.members import today
from broadcaster.runtime import Runtime
from broadcaster.trial import STEPS, try_out
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import price, since
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from broadcaster.words import gateway_word
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Invalid, NotFound
from subscribers.models import NumberKind
from subscribers.msisdn import mask, parse

router = APIRouter()

PATH = "/settings/gateways"
#: seconds that an answer, and then a receipt, are waited for while a page waits
PATIENCE = 15.0


@shows(router, PATH, needs=Right.OPERATE)
def gateways(request: Request, house: House) -> Response:
    """All of them, with the forms for a price and for a sample."""
    return draw_gateways(request, house)


@takes(router, PATH, needs=Right.OPERATE)
def send_sample(request: Request, house: House, visit: Here, form: Form) -> Response:
    """One message, followed to its receipt."""
    chosen, written = form.text("gateway"), form.text("number")
    try:
        gateway = _known(house, chosen)
        number = parse(written, house.settings.paper.region)
        if number.kind != NumberKind.MOBILE:
            raise Invalid("{number} is a landline: it takes no messages.", number=mask(number.msisdn))
        steps = list(try_out(house, visit.actor, gateway, number.msisdn, wait=PATIENCE))
    except BroadsheetError as error:
        return draw_gateways(request, house, error=error, field="number", chosen=chosen, number=written)
    lines = [
        {"name": translated(STEPS[step.name]), "is_ok": step.ok, "words": step.words, "hint": step.hint}
        for step in steps
    ]
    return draw_gateways(request, house, steps=lines, chosen=chosen, number=written)


def draw_gateways(
    request: Request,
    house: Runtime,
    *,
    error: BroadsheetError | None = None,
    field: str = "",
    priced: Posted | None = None,
    **sample: Any,
) -> Response:
    """The page. `priced`: the form of a price that was refused; `sample`: what was asked for, and what became of it."""
    with house.reading() as tx:
        ways, day = house.ways(tx), today(house, tx)
    costs = {name: price(way.price, way.currency) if way.price else "" for name, way in ways.items()}
    wanting = next((name for name, cost in costs.items() if not cost), "")
    return draw(
        request,
        "gateways.html",
        status=422 if error else 200,
        trouble=trouble(error, field) if error else None,
        gateways=[line | {"price": costs[line["name"]]} for line in lines_of(house)],
        priced={
            "of": priced.text("of") if priced else wanting,
            "price": priced.text("price") if priced else "",
            "currency": priced.text("currency") if priced else next((way.currency for way in ways.values()), "CNY"),
            "day": priced.text("day") if priced else day,
        },
        **{"chosen": "", "number": "", "steps": ()} | sample,
    )


def _known(house: Runtime, name: str) -> Gateway:
    if name not in house.gateways:
        raise NotFound("There is no gateway {name}.", hint="Choose one of the list.", name=repr(name[:40]))
    return house.gateways[name]


def lines_of(house: Runtime) -> list[dict[str, str]]:
    """Each gateway with its kind, and whether it can take messages now: in words for everybody, and what was heard from
    it (`detail`) for whoever looks after it.
    """
    with house.reading() as tx:
        held, now = leases.holders(tx.session, house.locks), tx.now
    lines = []
    for name, gateway in house.gateways.items():
        mine = [each for each in held if each.gateway == name]
        detail = ""
        bound = [each.bound_at for each in mine if each.bound_at]
        if bound:
            state = tr("✓ connected since {time}", time=since(min(bound), now, house.settings.zone))
        elif not house.is_held(name):
            state = tr("✓ needs no connection")
        else:
            state = tr("! not connected: nothing leaves by it now")
            detail = next((retold_whole(each.error) for each in mine if each.error), "")
        lines.append(
            {
                "name": name,
                "kind": gateway_word(gateway.kind),
                "sender": gateway.config.sender,
                "state": state,
                "detail": detail,
            }
        )
    return lines
