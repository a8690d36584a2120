"""A claim, by processor time: 500 and 1,000 one-part messages at once, on tables that hold old ones.

python -m benchmarks.claim [--members 200000] [--old 0] [--rounds 20] [--sizes 100,500,1000] [--profile] [--json]

Microseconds per message: Python's own, the database's for the statements (its process on PostgreSQL; SQLite runs in
ours, so there the first figure is all of it), and the clock. It starts a PostgreSQL of its own with fsync on.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import statistics
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from broadcaster import migrations
from broadcaster.campaigns.models import Campaign, CampaignVariant, Lane
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import batches
from broadcaster.delivery.models import Lease, Owner
from broadcaster.delivery.pieces import Sender
from broadcaster.gateways.contract import Capabilities
from subscribers.db import make_engine
from tests import servers

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
TEXT = (
    "{{ name }}您好！{{ organisation }}通知：{{ day }}上午九点在社区礼堂开会，请带上学习材料和笔记本，"
    "不能来的请提前告诉小组长。"
)
SENDER = Sender("carrier", "10690000", Capabilities(window=1000), rehearses=False)
#: what a server for a province wants; the rest as PostgreSQL comes
SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB")
ORGANISATIONS = 2_000
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--members", type=int, default=200_000)
    parser.add_argument("--old", type=int, default=0, help="messages of an earlier campaign, all delivered")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--sizes", default="100,500,1000")
    parser.add_argument("--profile", action="store_true", help="also tell where the time goes")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        place.chmod(0o755)
        (place / "server").mkdir()
        with servers.postgresql(place / "server", *SETTINGS) as url:
            for kind, address in (("postgresql", url), ("sqlite", f"sqlite:///{place / 'claim.db'}")):
                found |= {f"{kind}_{key}": value for key, value in measure(address, sizes, given).items()}
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:40} {value:>10,}")


def measure(url: str, sizes: list[int], given: argparse.Namespace) -> dict[str, float]:
    """The figures of one database."""
    migrations.upgrade(url)
    engine = make_engine(url)
    found: dict[str, float] = {}
    with Session(engine) as session, session.begin():
        plant(session, given.members, given.old)
    if not url.startswith("sqlite"):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    for size in sizes:
        with Session(engine) as session, session.begin():
            mine = begin_campaign(session, given.members, (given.rounds + 3) * size)
        figures = []
        profile = cProfile.Profile() if given.profile else None
        for turn in range(given.rounds + 2):
            own, clock = time.process_time(), time.monotonic()
            with Session(engine, expire_on_commit=False) as session:
                with session.begin():
                    backend = backend_of(session)
                    theirs = cpu_of(backend)
                    if profile and turn > 1:
                        profile.enable()
                    claimed = batches.claim(session, mine, SENDER, parts=size, up_to=Lane.BULK, now=NOW)
                    if profile:
                        profile.disable()
                theirs = cpu_of(backend) - theirs
            assert claimed is not None and len(claimed.parts) == size
            if turn > 1:
                figures.append((time.process_time() - own, theirs, time.monotonic() - clock))
        for name, values in zip(("python", "database", "clock"), zip(*figures, strict=True), strict=True):
            # the clock of a process of the server ticks a hundred times a second: only the sum means something
            per = statistics.mean(values) if name == "database" else min(values)
            found[f"{size}_{name}_us_per_message"] = round(per / size * 1e6, 1)
        if profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    engine.dispose()
    return found


def backend_of(session: Session) -> int:
    """The process of the server that serves this session; 0 where there is none."""
    return 0 if session.get_bind().dialect.name == "sqlite" else session.scalar(text("SELECT pg_backend_pid()")) or 0


def cpu_of(process: int) -> float:
    """Processor seconds that a process has used."""
    if not process:
        return 0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def plant(session: Session, members: int, old: int) -> None:
    """The registry, and a campaign of old, all delivered."""
    run = session.execute
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    cast = "" if on_sqlite else "::json"
    now = NOW.replace(tzinfo=None).isoformat(" ") if on_sqlite else NOW
    run(
        text(
            f"INSERT INTO organisation (id, parent_id, name, kind, level, path) {NUMBERS}"
            "SELECT i, CASE WHEN i > 1 THEN 1 END, '第' || i || '支部', '', 1, "
            "CASE WHEN i > 1 THEN '1/' ELSE '' END || i || '/' FROM n"
        ),
        {"count": ORGANISATIONS},
    )
    file = """'{"day"\\: "' || (i % 28 + 1) || '日", "seat"\\: "A' || i || '"}'"""
    run(
        text(
            f"INSERT INTO member (id, name, tags, fields, created_at) {NUMBERS}"
            f"SELECT i, '张' || (i % 900), '[]'{cast}, ({file}){cast}, :now FROM n"
        ),
        {"count": members, "now": now},
    )
    run(
        text(
            f"INSERT INTO membership (member_id, organisation_id, status, mobile, valid_from) {NUMBERS}"
            "SELECT i, i % :many + 1, 'in_service', false, :day FROM n"
        ),
        {"count": members, "many": ORGANISATIONS, "day": "2020-01-01" if on_sqlite else date(2020, 1, 1)},
    )
    run(
        text(
            "INSERT INTO subscription (msisdn, wish, since, consent_id) "
            + NUMBERS
            + "SELECT '+86199' || (10000000 + i), 'in', :now, 0 FROM n"
        ),
        {"count": members, "now": now},
    )
    left = old
    while left > 0:
        campaign = make_campaign(session, CampaignState.CLOSED)
        count = min(left, members)
        write_messages(session, campaign.id, count, 12)
        run(
            text(
                "INSERT INTO part (message_id, attempt, number, state, gateway, owner_id, encoding, text) "
                "SELECT id, 1, 1, 12, 'carrier', 1, 'ucs2', '第二支部通知：上午九点在社区礼堂开会，请带上学习材料。' "
                "FROM message WHERE campaign_id = :campaign"
            ),
            {"campaign": campaign.id},
        )
        left -= count


def make_campaign(session: Session, state: CampaignState) -> Campaign:
    """A notice with three fields, dressed as a paper dresses its texts."""
    campaign = Campaign(
        kind="notice",
        title="t",
        state=state,
        rule="everyone",
        gateway="carrier",
        signature="【晨晖】",
        opt_out="拒收回复R",
        created_by="b",
        created_at=NOW,
        audience_on=NOW.date(),
        variants=[CampaignVariant(position=0, name="", rule="everyone", source=TEXT, context={})],
    )
    session.add(campaign)
    session.flush()
    return campaign


def write_messages(session: Session, campaign_id: int, count: int, state: int) -> None:
    """One for each of the first members."""
    session.execute(
        text(
            "INSERT INTO message (campaign_id, member_id, msisdn, gateway, variant, state, attempt, parts, "
            "delivered_parts) "
            + NUMBERS
            + "SELECT :campaign, i, '+86199' || (10000000 + i), 'carrier', 0, :state, 1, 0, 0 FROM n"
        ),
        {"count": count, "campaign": campaign_id, "state": state},
    )


def begin_campaign(session: Session, members: int, count: int) -> int:
    """A campaign to be claimed in one batch, and nothing else; the owner who claims."""
    owner = Owner(host="benchmark", pid=0, started_at=NOW)
    session.add(owner)
    session.flush()
    session.add(Lease(gateway="carrier", place=owner.id, owner_id=owner.id, since=NOW))
    session.execute(text("UPDATE batch SET done = true"))
    campaign = make_campaign(session, CampaignState.SENDING)
    write_messages(session, campaign.id, min(count, members), 1)
    low, high = session.execute(
        text("SELECT min(id), max(id) FROM message WHERE campaign_id = :campaign"), {"campaign": campaign.id}
    ).one()
    session.execute(
        text(
            "INSERT INTO batch (campaign_id, gateway, lane, low, high, cursor, done) "
            "VALUES (:campaign, 'carrier', 2, :low, :high, :low, false)"
        ),
        {"campaign": campaign.id, "low": low, "high": high},
    )
    return owner.id


if __name__ == "__main__":
    main()
