"""The main job, once: people, an edition, a check, a send, receipts, answers. Everything in it is what production uses.

Whatever was done before a kill is found in the database, and the journey goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Select, func, select

from broadcaster import migrations
from broadcaster.binds import holding
from broadcaster.campaigns import compose, schedule
from broadcaster.campaigns.check import Check, check
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import EDITABLE, CampaignState
from broadcaster.delivery.locks import FileLocks
from broadcaster.delivery.progress import Progress, progress
from broadcaster.demo.installation import Plan, make_folder, settings_for
from broadcaster.demo.paper import next_edition
from broadcaster.demo.people import Facts, write_csv
from broadcaster.demo.speaking import Speakers, states_of, write_script
from broadcaster.gateways.simulator import SimulatorGateway
from broadcaster.newspaper.models import Edition
from broadcaster.replies.models import Letter
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.tasks import make_app, running
from subscribers.actor import OPERATOR
from subscribers.clock import monotonic
from subscribers.errors import Conflict, Unavailable
from subscribers.importing import ImportResult, import_members
from subscribers.models import ImportRun, Member, Organisation

#: seconds between two looks at a running send
LOOK = 0.25
#: far more than it takes; then something is wrong, and a person should know
PATIENCE = timedelta(minutes=10)


class Show(Protocol):
    """Whoever shows the journey to a person."""

    def importing(self, rows: int) -> None:
        """So many rows of the file have been taken in."""

    def people(self, facts: Facts, imported: ImportResult | None) -> None:
        """The registry stands; `imported` is None when it stood before."""

    def edition(self, edition: Edition, *, resumed: bool) -> None:
        """This edition goes out now; `resumed`: it had begun before."""

    def checked(self, campaign: Campaign, checked: Check) -> None:
        """What will be sent, to whom, and what it costs."""

    def sending(self, campaign: Campaign, progress: Progress, letters: int) -> None:
        """How far it is; called several times a second."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. The people are in exactly one of delivered, failed, no_receipt, unknown and skipped."""

    organisations: int
    members: int
    readers: int
    edition: int
    campaign: int
    variants: int
    confirmed: int
    resumed: bool
    seconds: float
    facts: Facts


def run(plan: Plan, show: Show) -> tuple[Result, Runtime]:
    """The whole journey. Returns what it was, and the (stopped) runtime, from which a report can be read.

    Raises `Conflict` when the demo already runs in this folder.
    """
    began = monotonic()
    make_folder(plan.folder)
    with _alone(plan.folder):
        runtime = make_runtime(settings_for(plan))
        migrations.upgrade(runtime.engine)
        app = make_app(runtime)
        facts = _people(runtime, plan, show)
        campaign_id, resumed = _draft(runtime, show)
        with ExitStack() as stack:
            stack.callback(runtime.close)
            stack.enter_context(holding(runtime))
            stack.enter_context(running(app, runtime))
            confirmed = _start(runtime, campaign_id, show)
            _follow(runtime, plan, campaign_id, show)
        return _result(runtime, campaign_id, facts, confirmed, resumed=resumed, seconds=monotonic() - began), runtime


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    held = FileLocks(folder).take(0)
    if held is None:
        raise Conflict(
            "The demo already runs in {path}.", hint="Wait for it to end, or stop it there.", path=str(folder)
        )
    try:
        yield
    finally:
        held.release()


def _people(runtime: Runtime, plan: Plan, show: Show) -> Facts:
    """The registry, by the same import that a user's file takes; once."""
    file = plan.folder / "members.csv"
    facts = write_csv(file, members=plan.members, readers=plan.readers, seed=plan.seed)
    imported = None
    with runtime.begin() as tx:
        if tx.session.scalar(select(func.count()).select_from(ImportRun)) == 0:
            imported = import_members(tx.session, OPERATOR, file, now=tx.now, shared=True, progress=show.importing)
    show.people(facts, imported)
    return facts


def _draft(runtime: Runtime, show: Show) -> tuple[int, bool]:
    """The campaign to send: an unfinished one, else a draft of the next edition. And whether it had begun before."""
    with runtime.begin() as tx:
        last = tx.session.scalar(select(Campaign).where(Campaign.kind == "edition").order_by(Campaign.id.desc()))
        resumed = last is not None and last.state not in (CampaignState.CLOSED, CampaignState.CANCELLED)
        if last is None or not resumed:
            edition = next_edition(tx.session, now=tx.now)
            last = compose.draft_edition(
                tx.session,
                OPERATOR,
                edition.number,
                paper=runtime.settings.paper.name,
                language="zh",
                dress=runtime.dress,
                pages=runtime.settings.web.pages,
                now=tx.now,
            )
        show.edition(tx.session.get_one(Edition, last.edition_id), resumed=resumed)
        return last.id, resumed


def _start(runtime: Runtime, campaign_id: int, show: Show) -> int:
    """Check it, show it, and start it as a person would: with the number of recipients."""
    zone = runtime.settings.zone
    with runtime.reading() as tx:
        campaign = compose.get(tx.session, OPERATOR, campaign_id)
        route = runtime.route(campaign)
        if campaign.state not in EDITABLE:
            return progress(tx.session, campaign).recipients
        checked = check(tx.session, OPERATOR, campaign, route, runtime.ways(tx), zone=zone, now=tx.now)
    show.checked(campaign, checked)
    with runtime.begin() as tx:
        campaign = compose.get(tx.session, OPERATOR, campaign_id)
        schedule.start(
            tx.session, OPERATOR, campaign, checked.recipients, route, runtime.ways(tx), zone=zone, now=tx.now
        )
    return checked.recipients


def _follow(runtime: Runtime, plan: Plan, campaign_id: int, show: Show) -> None:
    """Watch until every receipt has come or is overdue; let the readers speak in the meantime."""
    gateway = runtime.gateways["simulator"]
    assert isinstance(gateway, SimulatorGateway)  # noqa: S101 - we configured it
    speakers = None
    until = monotonic() + PATIENCE.total_seconds()
    while monotonic() < until:
        with runtime.reading() as tx:
            campaign = compose.get(tx.session, OPERATOR, campaign_id)
            now = progress(tx.session, campaign)
            letters = tx.session.scalar(_letters(campaign_id)) or 0
            if speakers is None and campaign.prepared_at is not None:
                lines = write_script(tx.session, campaign_id, plan.seed)
                speakers = Speakers(gateway, lines, plan.folder / f"said-{campaign_id}.json")
            states = states_of(tx.session, campaign_id, lines) if speakers else {}
        show.sending(campaign, now, letters)
        if speakers:
            speakers.speak(states, over=campaign.state in (CampaignState.SENT, CampaignState.CLOSED))
        if campaign.state in (CampaignState.CLOSED, CampaignState.FAILED):
            return
        runtime.stopping.wait(LOOK)
    raise Unavailable(
        "The demo did not come to its end within {minutes} minutes.",
        hint="Run it again: it goes on where it was.",
        minutes=int(PATIENCE.total_seconds() // 60),
    )


def _letters(campaign_id: int) -> Select[int]:
    return select(func.count()).select_from(Letter).where(Letter.campaign_id == campaign_id)


def _result(
    runtime: Runtime, campaign_id: int, facts: Facts, confirmed: int, *, resumed: bool, seconds: float
) -> Result:
    with runtime.reading() as tx:
        campaign = compose.get(tx.session, OPERATOR, campaign_id)
        edition = tx.session.get_one(Edition, campaign.edition_id)
        return Result(
            organisations=tx.session.scalar(select(func.count()).select_from(Organisation)) or 0,
            members=tx.session.scalar(select(func.count()).select_from(Member)) or 0,
            readers=facts.readers,
            edition=edition.number,
            campaign=campaign_id,
            variants=len(campaign.variants),
            confirmed=confirmed,
            resumed=resumed,
            seconds=round(seconds, 1),
            facts=facts,
        )
