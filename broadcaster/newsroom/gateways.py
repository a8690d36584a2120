"""The gateways of the configuration, and one message through one of them to one's own phone."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.delivery import leases
from broadcaster.gateways.contract import Gateway
from broadcaster.language import retold_whole, tr, translated
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.runtime import Runtime
from broadcaster.trial import STEPS, try_out
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import since
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from broadcaster.words import gateway_word
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Invalid, NotFound
from subscribers.models import NumberKind
from subscribers.msisdn import mask, parse

router = APIRouter()

#: seconds that an answer, and then a receipt, are waited for while a page waits
PATIENCE = 15.0


@shows(router, "/settings/gateways", needs=Right.OPERATE)
def gateways(request: Request, house: House) -> Response:
    """All of them, with the form for a sample."""
    return draw(request, "gateways.html", gateways=lines_of(house), chosen="", number="", steps=())


@takes(router, "/settings/gateways", needs=Right.OPERATE)
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
        told = trouble(error, "number")
        return draw(
            request,
            "gateways.html",
            status=422,
            trouble=told,
            gateways=lines_of(house),
            steps=(),
            chosen=chosen,
            number=written,
        )
    lines = [
        {"name": translated(STEPS[step.name]), "is_ok": step.ok, "words": step.words, "hint": step.hint}
        for step in steps
    ]
    return draw(request, "gateways.html", gateways=lines_of(house), steps=lines, chosen=chosen, number=written)


def _known(house: Runtime, name: str) -> Gateway:
    if name not in house.gateways:
        raise NotFound("There is no gateway {name}.", hint="Choose one of the list.", name=repr(name[:40]))
    return house.gateways[name]


def lines_of(house: Runtime) -> list[dict[str, str]]:
    """Each gateway with its kind, and whether it can take messages now: in words for everybody, and what was heard from
    it (`detail`) for whoever looks after it.
    """
    with house.reading() as tx:
        held, now = leases.holders(tx.session), tx.now
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
