"""A process that tries to start a campaign when it is told to."""

from __future__ import annotations

from multiprocessing.connection import Connection

from broadcaster.campaigns import compose, schedule
from broadcaster.runtime import make_runtime
from broadcaster.settings import Settings
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict


def try_to_start(settings: Settings, campaign_id: int, recipients: int, pipe: Connection) -> None:
    runtime = make_runtime(settings)
    zone = settings.zone
    pipe.send("ready")
    pipe.recv()
    try:
        with runtime.begin() as tx:
            campaign = compose.get(tx.session, OPERATOR, campaign_id)
            route = runtime.route(campaign)
            schedule.start(tx.session, OPERATOR, campaign, recipients, route, runtime.ways(tx), zone=zone, now=tx.now)
        pipe.send("started")
    except Conflict:
        pipe.send("conflict")
    except Exception as error:
        pipe.send(repr(error))
    runtime.close()
