"""What the doctor knows of a gateway without sending: can it be reached, are we let in, do its receipts come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from broadcaster.campaigns.profiles import Profile, signed_otherwise
from broadcaster.commands.gateway_shown import Known, explained
from broadcaster.commands.output import local
from broadcaster.delivery import leases, memory
from broadcaster.delivery.leases import Holder
from broadcaster.delivery.standing import Receipts, receipts_of
from broadcaster.gateways.contract import Gateway
from broadcaster.gateways.probing import address_of, knock, probe
from broadcaster.language import in_a_row, listed, tell, tr
from broadcaster.runtime import Runtime
from broadcaster.web.readiness import Check
from subscribers.db import is_sqlite
from subscribers.errors import BroadsheetError, Unavailable

#: after so long without any receipt for what was handed over, the way for receipts is broken
SILENT = timedelta(days=1)
#: clocks that differ by more make sign-ons fail and sort events wrongly
APART = timedelta(seconds=5)


def gateway_check(runtime: Runtime, name: str) -> Check:
    """One gateway: how it is, and what to do if it is not well or may be better."""
    gateway, label = runtime.gateways[name], f"gateway {name}"
    holders, receipts, learned, profiles, now = _known(runtime, name)
    try:
        found = _link(runtime, gateway, holders)
        _refuse_silence(runtime, gateway, receipts, now)
    except BroadsheetError as error:
        return Check(label, False, *tell(error))
    return Check(label, True, found, in_a_row(explained(gateway, learned), *_advice(runtime, gateway, profiles)))


def clock(runtime: Runtime) -> str:
    """How far this machine's clock is from the database's. Raises `Unavailable`."""
    with runtime.reading() as tx:
        if is_sqlite(tx.session):
            return tr("one machine, one clock")
        theirs = tx.session.scalar(select(func.clock_timestamp()))
        apart = abs(runtime.clock() - theirs) if theirs is not None else timedelta()
    if apart > APART:
        raise Unavailable(
            "The clocks of this machine and of the database differ by {seconds:.0f} seconds.",
            hint="Have both set by NTP: carriers refuse who signs on with a wrong time.",
            seconds=apart.total_seconds(),
        )
    return tr("this machine and the database agree")


def _known(runtime: Runtime, name: str) -> tuple[list[Holder], Receipts, Known | None, Mapping[str, Profile], datetime]:
    own = runtime.settings.own_file
    if own is not None and not own.exists():
        # looking would make an empty one, and whoever uses it first would find no tables
        return [], Receipts(), None, {}, runtime.clock()
    try:
        with runtime.reading() as tx:
            mine = [each for each in leases.holders(tx.session, runtime.locks) if each.gateway == name]
            learned, profiles = memory.by_gateway(tx.session).get(name), runtime.profiles(tx.session, tx.now)
            return mine, receipts_of(tx.session, name), learned, profiles, tx.now
    except BroadsheetError:
        # what is wrong with the database is another check's to say
        return [], Receipts(), None, {}, runtime.clock()


def _link(runtime: Runtime, gateway: Gateway, holders: list[Holder]) -> str:
    """That the carrier can be reached; where nobody holds a connection, that it lets us in. Raises `GatewayError`."""
    bound = next((each for each in holders if each.bound_at is not None), None)
    if bound is not None:
        who = tr("process {pid} on {host}", pid=bound.pid, host=bound.host)
        return tr("{kind}: the connection stands, held by {who}", kind=gateway.kind, who=who)
    if (address := address_of(gateway.config)) is not None:
        list(probe(address))
    try:
        gateway.open()
        knock(gateway, now=runtime.clock())
    finally:
        gateway.close()
    return tr("{kind}: ready", kind=gateway.kind)


def _refuse_silence(runtime: Runtime, gateway: Gateway, receipts: Receipts, now: datetime) -> None:
    since = receipts.silent_since
    if gateway.capabilities.receipts and since is not None and now - since > SILENT:
        raise Unavailable(
            "No receipt has come for anything that was handed over since {time}.",
            hint="Ask the carrier whether receipts are switched on, and where it sends them.",
            time=local(since, runtime.settings.zone),
        )


def _advice(runtime: Runtime, gateway: Gateway, profiles: Mapping[str, Profile]) -> Iterator[str]:
    config, can = gateway.config, gateway.capabilities
    if others := signed_otherwise(gateway.name, profiles, runtime.settings.paper.signature):
        yield tr(
            "It signs as broadsheet.toml has it: {signature}. Another signature was set for {others}; "
            "`broadsheet gateways profile {name} --set signature=...` sets one here.",
            signature=runtime.settings.paper.signature or "—",
            others=listed(others),
            name=gateway.name,
        )
    if not config.sender and not getattr(config, "messaging_service", "") and gateway.kind != "simulator":
        yield tr("No sender is set: the carrier chooses one, or refuses.")
    if config.bill == "chars_70_67" and not config.parts_per_second:
        yield tr("parts_per_second is 0: these clouds refuse who is too fast; set what the contract says.")
    if not runtime.is_held(gateway.name) and can.receipts and not runtime.settings.web.public_url:
        yield tr("It calls us back, but public_url under [web] is empty: no call arrives.")
    token = getattr(config, "auth_token", None)
    if token is not None and not token.get_secret_value():
        yield tr("auth_token is not set: its calls cannot be proved, and are refused.")
    if config.binds > 1 and runtime.is_held(gateway.name) and runtime.settings.embedded:
        yield tr(
            "binds is {n}; `broadsheet up` holds one connection, each `broadsheet gateways run {name}` without it "
            "another.",
            n=config.binds,
            name=gateway.name,
        )
