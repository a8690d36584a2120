"""What a journey needs: settings, people, a campaign that has been started, a carrier that outlives its senders."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from broadcaster.campaigns import check, compose, schedule
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message
from broadcaster.delivery.states import AWAITED, WAITING
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.replies.models import Letter, LetterState
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Settings, load
from subscribers.actor import OPERATOR
from tests.factories import make_members

#: about 190 characters with the signature: three parts in UCS-2
TEXT = (
    "{{ name }}，您好："
    + "明天上午九点在社区礼堂开会，请带上学习材料，不能来的同志请提前告诉小组长，谢谢大家的配合。" * 4
)
WINDOW = 16

BEHAVIOUR: dict[str, Any] = {
    "delay": (0.02, 0.4),
    "late": 0.02,
    "late_delay": (0.5, 1.0),
    "failed": 0.05,
    "never": 0.02,
    "intermediate": 0.1,
    "replies": 0.1,
    "reply_delay": (0.0, 0.5),
    "reply_texts": ("TD", "收到"),
    "latency": 0.01,
}


def settings_for(data: Path, url: str, *, queue: str = "", **gateway: Any) -> Settings:
    """One simulated gateway named `carrier`, quick receipts, a small window."""
    table = {"kind": "simulator", "window": WINDOW, "receipt_timeout": 2, "sender": "10690000", **BEHAVIOUR, **gateway}
    return load(
        None,
        data=data,
        store={"url": url},
        queue={"url": queue},
        paper={"name": "晨晖手机报", "signature": "【晨晖手机报】"},
        gateways={"carrier": table},
    )


def behaviour_of(settings: Settings) -> Behaviour:
    """How the carrier of these settings behaves."""
    table = settings.gateways["carrier"]
    return Behaviour.model_validate({key: table[key] for key in Behaviour.model_fields if key in table})


@contextlib.contextmanager
def runtime_on(settings: Settings) -> Iterator[Runtime]:
    """The test's own look at the installation: it sends nothing."""
    runtime = make_runtime(settings)
    try:
        yield runtime
    finally:
        runtime.close()


def people(runtime: Runtime, count: int, **given: Any) -> set[str]:
    """Members who want the paper; their numbers."""
    with runtime.begin() as tx:
        return {str(member.msisdn) for member in make_members(tx.session, count, **given)}


def draft(runtime: Runtime, text: str = TEXT, rule: str = "everyone", **more: Any) -> int:
    """The id of a new draft."""
    with runtime.begin() as tx:
        return compose.draft_notice(tx.session, OPERATOR, text, rule=rule, dress=runtime.dress, now=tx.now, **more).id


def start(runtime: Runtime, campaign_id: int) -> check.Check:
    """Start it, with the right number typed."""
    zone = runtime.settings.zone
    with runtime.begin() as tx:
        campaign = compose.get(tx.session, OPERATOR, campaign_id)
        route = runtime.route(campaign)
        checked = check.check(tx.session, OPERATOR, campaign, route, runtime.ways(tx), zone=zone, now=tx.now)
        return schedule.start(
            tx.session, OPERATOR, campaign, checked.recipients, route, runtime.ways(tx), zone=zone, now=tx.now
        )


def state_of(runtime: Runtime, campaign_id: int) -> str:
    """Where a campaign is."""
    with runtime.reading() as tx:
        return str(tx.session.get_one(Campaign, campaign_id).state)


def parts_taken(file: Path) -> int:
    """How many parts the carrier has accepted so far; quick enough to be asked all the time."""
    return file.read_bytes().count(b'{"kind":"part"') if file.exists() else 0


def at_rest(runtime: Runtime) -> bool:
    """Whether every message has come to its end, and every letter has been read."""
    with runtime.reading() as tx:
        moving = select(Message.id).where(Message.state.in_((*WAITING, *AWAITED)))
        unread = select(Letter.id).where(Letter.state == LetterState.NEW)
        return tx.session.scalar(moving.limit(1)) is None and tx.session.scalar(unread.limit(1)) is None


def come_to_rest(runtime: Runtime, file: Path, seconds: float) -> bool:
    """Whether it came to rest in time and stayed so for a second in which the carrier had nothing new to tell either.

    A member answers after the last receipt, later still where receipts had to be repeated: whoever ends the sender
    between the two finds a letter that nobody has looked at yet, and that is no fault.
    """
    deadline, size, since = time.monotonic() + seconds, -1, 0.0
    while time.monotonic() < deadline:
        if not at_rest(runtime) or file.stat().st_size != size:
            size, since = file.stat().st_size, time.monotonic()
        if time.monotonic() - since > 1:
            return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def carrier_process(file: Path, behaviour: Behaviour, port: int = 0) -> Iterator[int]:
    """A carrier in a process of its own; its port, or any free one."""
    options = [sys.executable, "-m", "broadcaster.gateways.simulator", "--file", str(file), "--port", str(port)]
    for name, value in behaviour.model_dump().items():
        options += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else (value,))]
    with subprocess.Popen(options, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
