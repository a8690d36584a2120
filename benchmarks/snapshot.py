"""Writing a large audience down while its campaign is already being sent: how long, how soon the first part.

python -m benchmarks.snapshot [--members 100000] [--store postgresql,sqlite] [--rule RULE] [--json]

Transactions as the task makes them, one after the other; beside them a sender claims every 50 ms from a thread of its
own. The numbers of the members are in no order, one in fifty wants no paper, one in a hundred shares a handset. It
starts a PostgreSQL of its own with fsync on.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import threading
import time
from pathlib import Path

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from benchmarks import claim
from broadcaster import migrations
from broadcaster.campaigns.audience import Route, count_audience
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import batches, preparing
from broadcaster.delivery.models import Batch, Lease, Message, Owner
from broadcaster.tasks.doors import GIVE_WAY
from subscribers.db import make_engine
from tests import servers

NOW = claim.NOW
ROUTE = Route(claim.SENDER.gateway)
#: seconds between two claims of the sender
PAUSE = 0.05


class Sender(threading.Thread):
    """Claims while the audience is written down, and notes how long each claim took."""

    def __init__(self, engine: Engine, owner_id: int) -> None:
        super().__init__(daemon=True)
        self.engine, self.owner_id = engine, owner_id
        self.started = time.monotonic()
        self.first: float | None = None
        self.took: list[float] = []
        self.parts = 0
        self.over = threading.Event()

    def run(self) -> None:
        """Claim until it is over."""
        while not self.over.wait(PAUSE):
            begun = time.monotonic()
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                turn = batches.claim(session, self.owner_id, claim.SENDER, parts=100, up_to=Lane.BULK, now=NOW)
            self.took.append(time.monotonic() - begun)
            if turn is not None:
                self.first = self.first or time.monotonic() - self.started
                self.parts += len(turn.parts)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--store", default="postgresql,sqlite")
    parser.add_argument("--rule", default="everyone")
    given = parser.parse_args()
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        place.chmod(0o755)
        (place / "server").mkdir()
        for store in given.store.split(","):
            if store == "sqlite":
                figures = measure(f"sqlite:///{place / 'snapshot.db'}", given.members, given.rule)
            else:
                with servers.postgresql(place / "server", *claim.SETTINGS) as url:
                    figures = measure(url, given.members, given.rule)
            found |= {f"{store}_{key}": value for key, value in figures.items()}
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:45} {value:>12,}")


def measure(url: str, members: int, rule: str) -> dict[str, float]:
    """The figures of one database."""
    migrations.upgrade(url)
    engine = make_engine(url)
    with Session(engine) as session, session.begin():
        plant(session, members)
        campaign, owner = begin(session, rule)
    if not url.startswith("sqlite"):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    found: dict[str, float] = {}
    with Session(engine) as session, session.begin():
        begun = time.monotonic()
        on = NOW.date()
        counted = count_audience(session, session.get_one(Campaign, campaign), ROUTE, on=on)
        found["check_s"] = round(time.monotonic() - begun, 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sender = Sender(engine, owner)
    own, begun = time.process_time(), time.monotonic()
    sender.start()
    more, pieces, theirs = True, [], 0.0
    while more:
        piece = time.monotonic()
        with Session(engine, expire_on_commit=False) as session, session.begin():
            backend = claim.backend_of(session)
            used = claim.cpu_of(backend)
            more = preparing.prepare(session, campaign, lambda _: ROUTE, now=NOW)
            theirs += claim.cpu_of(backend) - used
        pieces.append(time.monotonic() - piece)
        # as the task does
        time.sleep(GIVE_WAY if engine.dialect.name == "sqlite" else 0)
    found["snapshot_s"] = round(time.monotonic() - begun, 2)
    found["own_processor_s"] = round(time.process_time() - own, 2)
    found["database_processor_s"] = round(theirs, 2)
    time.sleep(4 * PAUSE)
    sender.over.set()
    sender.join()
    found["first_claim_after_s"] = round(sender.first or -1, 2)
    found["longest_piece_s"] = round(max(pieces), 2)
    found["longest_claim_s"] = round(max(sender.took), 2)
    found["claims"] = len(sender.took)
    found["parts_claimed_meanwhile"] = sender.parts
    found["memory_mib_more"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    with Session(engine) as session:
        mine = Message.campaign_id == campaign
        written = session.scalar(select(func.count()).where(mine, Message.msisdn.is_not(None)))
        found["recipients"] = written or 0
        found["batches"] = session.scalar(select(func.count()).where(Batch.campaign_id == campaign)) or 0
    assert written == counted.recipients, (written, counted)
    engine.dispose()
    return found


def plant(session: Session, members: int) -> None:
    """The registry."""
    claim.plant(session, members, 0)
    run, on_sqlite = session.execute, session.get_bind().dialect.name == "sqlite"
    # one in a hundred has the number of the one before
    number = "'+86199' || (10000000 + ((CASE WHEN i % 100 = 0 THEN i - 1 ELSE i END) * 48271) % 89999999)"
    run(
        text(
            "INSERT INTO number (member_id, msisdn, kind, preferred, shared, operator) "
            + claim.NUMBERS.replace("i + 1", "CAST(i + 1 AS BIGINT)").replace("SELECT 1 ", "SELECT CAST(1 AS BIGINT) ")
            + f"SELECT i, {number}, 'mobile', true, i % 100 IN (0, 99), 'mobile' FROM n"
        ),
        {"count": members},
    )
    run(text("DELETE FROM subscription"))
    since = NOW.replace(tzinfo=None).isoformat(" ") if on_sqlite else NOW
    run(
        text(
            "INSERT INTO subscription (msisdn, wish, since, consent_id) "
            "SELECT msisdn, CASE WHEN member_id % 50 = 7 THEN 'out' ELSE 'in' END, "
            f"{':since' if on_sqlite else 'CAST(:since AS timestamptz)'}, 0 FROM number WHERE member_id % 100 <> 0"
        ),
        {"since": since},
    )


def begin(session: Session, rule: str) -> tuple[int, int]:
    """A campaign that was started this moment, and the owner who sends it."""
    owner = Owner(host="benchmark", pid=0, started_at=NOW)
    session.add(owner)
    session.flush()
    session.add(Lease(gateway=claim.SENDER.gateway, place=1, owner_id=owner.id, since=NOW))
    campaign = claim.make_campaign(session, CampaignState.PREPARING)
    campaign.rule = rule
    campaign.started_at = NOW
    return campaign.id, owner.id


if __name__ == "__main__":
    main()
