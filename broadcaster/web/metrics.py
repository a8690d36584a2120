"""`/metrics`: the stages for Prometheus. Figures only; read from the database, so that any one process tells of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from broadcaster.reports.stages import GatewayStage, Stages, stages
from broadcaster.web.house import House
from broadcaster.web.strangers import refuse_strangers

router = APIRouter()


@router.get("/metrics")
def metrics(request: Request, house: House) -> Response:
    """For whoever has the token; without one in the settings, for programs of this machine."""
    refuse_strangers(request, house.settings.web)
    with house.reading() as tx:
        found, now = stages(tx.session, house.locks, list(house.gateways), now=tx.now), tx.now
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(found, now))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Told(Collector):
    """What was found, in Prometheus' words."""

    def __init__(self, found: Stages, now: datetime) -> None:
        self._found = found
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Every family, each once."""
        yield from self._of_gateways(self._found.gateways)
        found = self._found
        parts = GaugeMetricFamily("broadsheet_parts", "Parts of campaigns by state", labels=["gateway", "state"])
        for gateway in found.gateways:
            for state, n in gateway.parts.items():
                parts.add_metric([gateway.name, state], n)
        yield parts
        yield GaugeMetricFamily("broadsheet_receipts_pending", "Receipts not applied yet", value=found.pending)
        yield GaugeMetricFamily(
            "broadsheet_receipts_pending_seconds",
            "How long the oldest of them waits",
            value=self._age(found.pending_since),
        )
        yield GaugeMetricFamily("broadsheet_letters_pending", "Members' messages not routed yet", value=found.letters)
        yield GaugeMetricFamily("broadsheet_senders", "Processes that send", value=found.senders)
        campaigns = GaugeMetricFamily("broadsheet_campaigns", "Campaigns by state", labels=["state"])
        for state, n in found.campaigns.items():
            campaigns.add_metric([state], n)
        yield campaigns
        yield CounterMetricFamily(
            "broadsheet_parts_claimed", "Parts that were written down to be sent", value=found.parts
        )
        yield CounterMetricFamily("broadsheet_receipts", "Receipts that came in", value=found.receipts)

    def _of_gateways(self, gateways: Iterable[GatewayStage]) -> Iterator[Metric]:
        gauges: Mapping[str, tuple[str, Callable[[GatewayStage], float | None]]] = {
            "queued_messages": ("Messages that may go now, or soon", lambda g: g.queued),
            "throttled_messages": ("Messages held back because the carrier is slow or away", lambda g: g.throttled),
            "in_flight_parts": ("Parts being handed over", lambda g: g.in_flight),
            "left_parts": ("Of them, in the hands of a process that is gone", lambda g: g.left),
            "unknown_parts": ("Parts handed over without an answer, not settled", lambda g: g.unknown),
            "unknown_seconds": ("How long the oldest of them is in doubt", lambda g: self._age(g.unknown_since)),
            "orphan_receipts": ("Newest receipts that fit no part", lambda g: g.orphans),
            "places": ("Processes that have a place here", lambda g: len(g.places)),
            "links": ("Connections that stand", lambda g: g.links),
            "receipts_lag_seconds": ("From hand-over to receipt, the median of the newest", lambda g: g.receipts.lag),
            "receipts_silent_seconds": (
                "Since something was handed over after which no receipt has come",
                lambda g: self._age(g.receipts.silent_since),
            ),
        }
        for name, (words, value) in gauges.items():
            family = GaugeMetricFamily(f"broadsheet_{name}", words, labels=["gateway"])
            for gateway in gateways:
                if (told := value(gateway)) is not None:
                    family.add_metric([gateway.name], told)
            yield family

    def _age(self, since: datetime | None) -> float:
        return max(0.0, (self._now - since).total_seconds()) if since else 0.0
