"""Trying a gateway out, step by step, each told in words: address, sign-on, text, hand-over, answer, receipt."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from broadcaster import binds
from broadcaster.campaigns import dress
from broadcaster.campaigns.dress import Dress
from broadcaster.delivery import leases, press, receipts, trial
from broadcaster.delivery.leases import Holder
from broadcaster.delivery.states import AWAITED, FINAL, State
from broadcaster.delivery.trial import Fate, Trial
from broadcaster.gateways.contract import Gateway
from broadcaster.gateways.errors import Misconfigured
from broadcaster.gateways.probing import address_of, knock, probe
from broadcaster.language import msgid, ntr, retold, tell, tr
from broadcaster.replies.handling import reply_text
from broadcaster.runtime import Runtime
from broadcaster.sms import Split
from broadcaster.words import failure_reason_word
from subscribers.actor import Actor, Right
from subscribers.clock import monotonic
from subscribers.errors import BroadsheetError

#: seconds between two looks at what has become of the message
_LOOK = 0.2
#: seconds for a connection to be made
_LINK_WITHIN = 15.0
_TRIES = 3

#: the steps of a test, in the words of the screen
STEPS = {
    "resolve": msgid("host name"),
    "connect": msgid("address"),
    "tls": msgid("TLS"),
    "sign_on": msgid("sign-on"),
    "alphabet": msgid("text"),
    "sent": msgid("hand-over"),
    "answer": msgid("answer"),
    "receipt": msgid("receipt"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way out: how it went, in words, and what to do if it did not."""

    name: str
    ok: bool
    words: str
    seconds: float = 0.0
    hint: str = ""


def try_out(runtime: Runtime, actor: Actor, gateway: Gateway, msisdn: str, *, wait: float) -> Iterator[Step]:
    """Send one message to this number, and tell each step; after one that fails there are no more.

    Where another process holds the connection, that one sends. `wait`: seconds for answer and receipt each. Raises
    `Conflict` before anything is sent when the holder of the number wants no messages.
    """
    actor.must(Right.OPERATE)
    with runtime.reading() as tx:
        trial.refuse_opted_out(tx.session, msisdn)
        holders = [each for each in leases.holders(tx.session, runtime.locks) if each.gateway == gateway.name]
    try:
        yield from _address(gateway)
        with contextlib.ExitStack() as link:
            yield _signed_on(runtime, gateway, holders, link)
            text = _text(runtime, gateway)
            yield Step("alphabet", True, _about(text))
            yield from _sent(runtime, actor, gateway, msisdn, text, wait)
    except _Failed as failed:
        yield failed.step


class _Failed(Exception):
    def __init__(self, name: str, words: str, hint: str = "", seconds: float = 0.0) -> None:
        super().__init__(words)
        self.step = Step(name, False, words, seconds, hint)


def _address(gateway: Gateway) -> Iterator[Step]:
    address = address_of(gateway.config)
    done = 0
    try:
        for name, words, seconds in probe(address) if address else ():
            yield Step(name, True, words, seconds)
            done += 1
    except BroadsheetError as error:
        raise _Failed(("resolve", "connect", "tls")[done], *tell(error)) from error


def _signed_on(runtime: Runtime, gateway: Gateway, holders: list[Holder], link: contextlib.ExitStack) -> Step:
    began = monotonic()
    try:
        if not runtime.is_held(gateway.name):
            gateway.open()
            if knock(gateway, now=runtime.clock()):
                return Step("sign_on", True, tr("the carrier has let us in"), monotonic() - began)
            return Step("sign_on", True, tr("nothing to sign on to: each request does it by itself"))
        if gateway.name in runtime.linked:
            return Step("sign_on", True, tr("the carrier has let us in"))
        # where this very process serves, its own thread signs on, and a second one would let go of the place
        serves = any(each.pid == os.getpid() and each.host == socket.gethostname() for each in holders)
        if not serves and runtime.take_place(gateway.name):
            link.callback(_leave, runtime, gateway.name)
            gateway.open()
            link.enter_context(binds.connected(runtime, gateway))
            _wait(lambda: gateway.name in runtime.linked, _LINK_WITHIN)
            return Step("sign_on", True, tr("the carrier has let us in"), monotonic() - began)
    except BroadsheetError as error:
        raise _Failed("sign_on", *tell(error), monotonic() - began) from error
    bound = [each for each in holders if each.bound_at is not None]
    if not bound:
        told = next((each.error for each in holders if each.error), None)
        raise _Failed("sign_on", tr("another process tries to, and cannot: {error}", error=retold(told or "-")))
    who = tr("process {pid} on {host}", pid=bound[0].pid, host=bound[0].host)
    return Step("sign_on", True, tr("the connection is held by {who}, which sends this", who=who))


def _leave(runtime: Runtime, gateway: str) -> None:
    with runtime.begin() as tx:
        leases.give_back(tx.session, gateway, runtime.press(gateway).ownership.id)


def _text(runtime: Runtime, gateway: Gateway) -> Split:
    with runtime.reading() as tx:
        desk = runtime.desk(tx).at(gateway.name)
    worn = Dress(desk.signature, place=desk.place)
    text = dress.dressed(worn, reply_text("trial", desk))
    return dress.leaving(worn, dress.cut(worn, text, desk.gateways[gateway.name]))


def _about(text: Split) -> str:
    parts = ntr("{n} part", "{n} parts", len(text.parts))
    length = len("".join(text.parts))
    return tr("{characters} characters as {encoding}: {parts}", characters=length, encoding=text.encoding, parts=parts)


def _sent(runtime: Runtime, actor: Actor, gateway: Gateway, msisdn: str, text: Split, wait: float) -> Iterator[Step]:
    began = monotonic()
    ready = runtime.press(gateway.name)
    turned_away: list[Misconfigured] = []
    with runtime.begin() as tx:
        mine = trial.queue(tx.session, actor, ready.sender, msisdn, text, now=tx.now)
    if gateway.name in runtime.linked or not runtime.is_held(gateway.name):
        runtime.join_in(gateway.name)
        with runtime.between_turns(gateway.name):
            press.run(replace(ready, only=mine.batch_id, on_turned_away=turned_away.append), limit=_TRIES)
    waiting = (State.QUEUED, State.SUBMITTING)
    here = bool(turned_away) or gateway.name in runtime.linked
    _wait(lambda: _fate(runtime, mine).state not in waiting, 0 if here else wait)
    fate = _fate(runtime, mine)
    if fate.state in waiting:
        with runtime.begin() as tx:
            trial.withdraw(tx.session, mine, now=tx.now)
        if turned_away:
            raise _Failed("sent", *tell(turned_away[-1]), monotonic() - began)
        hint = tr("The carrier could not be reached, or asks for a pause; it has been withdrawn. Try again later.")
        raise _Failed("sent", tr("not handed over within {seconds:g} seconds", seconds=wait), hint, monotonic() - began)
    yield Step("sent", True, ntr("{n} part handed over", "{n} parts handed over", len(text.parts)), monotonic() - began)
    yield _answer(fate, monotonic() - began)
    yield _receipt(runtime, gateway, mine, wait)


def _answer(fate: Fate, seconds: float) -> Step:
    if fate.state == State.UNKNOWN:
        hint = tr("It may have gone all the same: look at the telephone before you try again.")
        raise _Failed("answer", tr("the carrier did not answer"), hint, seconds)
    if fate.provider_id is None:
        words = tr("refused: {reason} ({code})", reason=failure_reason_word(fate.reason), code=fate.code or "-")
        raise _Failed("answer", words, tr("The code is the carrier's own: its sheet says what to mend."), seconds)
    return Step("answer", True, tr("taken as {id}", id=fate.provider_id), seconds)


def _receipt(runtime: Runtime, gateway: Gateway, mine: Trial, wait: float) -> Step:
    began = monotonic()
    if not gateway.capabilities.receipts:
        return Step("receipt", True, tr("this gateway sends none"))
    _wait(lambda: _fate(runtime, mine).state in FINAL, wait)
    fate, seconds = _fate(runtime, mine), monotonic() - began
    if fate.state == State.DELIVERED:
        return Step("receipt", True, tr("delivered"), seconds)
    if fate.state in AWAITED:
        hint = tr("Is the telephone on? Does the carrier know where receipts go, and has it been asked for them?")
        raise _Failed("receipt", tr("none within {seconds:g} seconds", seconds=wait), hint, seconds)
    words = tr("not delivered: {reason} ({code})", reason=failure_reason_word(fate.reason), code=fate.code or "-")
    raise _Failed("receipt", words, tr("Look at the telephone, and try another one."), seconds)


def _fate(runtime: Runtime, mine: Trial) -> Fate:
    with runtime.begin() as tx:
        # nobody else may be there to do it
        receipts.apply(tx.session, now=tx.now)
        return trial.fate(tx.session, mine)


def _wait(true: Callable[[], bool], seconds: float) -> None:
    deadline = monotonic() + seconds
    while not true() and monotonic() < deadline:
        time.sleep(_LOOK)
