"""Machine HTTP: what carriers tell us by calling. Verified, read, stored; only then are they told yes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from broadcaster import ingest
from broadcaster.gateways.contract import Gateway
from broadcaster.gateways.errors import ForgedRequest, Unsupported, in_log
from broadcaster.gateways.events import Event, InboundRequest
from broadcaster.logs import Seldom, get
from broadcaster.web.bodies import read_body
from broadcaster.web.house import House
from subscribers.clock import monotonic
from subscribers.errors import Denied, Invalid, NotFound

log = get(__name__)
router = APIRouter()

#: requests that brought nothing new, by gateway: a line a minute
repeats = Seldom(60.0)


async def _inbound(name: str, request: Request, house: House) -> InboundRequest:
    if name not in house.gateways:
        raise NotFound("There is no gateway {name}.", hint="Compare the address with the configuration.", name=name)
    query = request.scope["query_string"].decode("latin-1")
    return InboundRequest(
        method=request.method,
        # never the Host header, which the caller writes
        url=house.settings.web.public_url
        + request.scope["raw_path"].decode("latin-1")
        + (f"?{query}" if query else ""),
        headers={header: ", ".join(request.headers.getlist(header)) for header in request.headers},
        body=await read_body(request),
    )


@router.api_route("/hooks/{name}", methods=["GET", "POST"])
def hook(name: str, house: House, inbound: Annotated[InboundRequest, Depends(_inbound)]) -> Response:
    """Receipts and messages from one carrier. A database that is away makes 503, and the carrier repeats them."""
    gateway = house.gateways[name]
    events = _read(gateway, inbound)
    with house.begin() as tx:
        fresh = ingest.accept(tx.session, events, gateway.reasons, region=house.settings.paper.region, now=tx.now)
    if events and not fresh:
        _tell_repeat(name, len(events))
    answer = gateway.answer(events)
    return Response(answer.body, answer.status, {"Content-Type": answer.content_type})


def _tell_repeat(name: str, events: int) -> None:
    """A request that was made twice, by whomever, moves nothing. A single one is no news, many have a cause."""
    requests = repeats.again(name, monotonic())
    if not requests:
        return
    tell = log.info if requests == 1 else log.warning
    tell(
        "nothing new in a request: all of it was known",
        gateway=name,
        requests=requests,
        events=events,
        hint="Nothing was changed. A carrier repeats what it had no answer to: look at how long answers take. If it "
        "called only once, somebody replays its requests: have it give you another secret.",
    )


def _read(gateway: Gateway, request: InboundRequest) -> Sequence[Event]:
    """What the request tells, if it proves where it comes from."""
    try:
        gateway.verify(request)
        return gateway.parse(request)
    except Unsupported as error:
        raise NotFound(error.message, hint=error.hint, **error.fields) from None
    except ForgedRequest as error:
        log.warning("forged request refused", gateway=gateway.name, **in_log(error))
        raise Denied("This request does not prove where it comes from.") from None
    # somebody else's bytes in somebody else's parser
    except (ValueError, LookupError, RecursionError) as error:
        log.warning("request not understood", gateway=gateway.name, reason=type(error).__name__)
        raise Invalid("Gateway {name} does not understand this request.", name=gateway.name) from None
