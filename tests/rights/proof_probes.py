"""An edition on the phones of a sample of its readers."""

from __future__ import annotations

from broadcaster.campaigns import proof
from tests.delivery.ledger import WAYS
from tests.rights.probe import Probe
from tests.rights.world import TODAY

_P = "broadcaster.campaigns.proof."
PROBES = {
    _P + "sample": Probe(lambda s, a, side: proof.sample(s, a, side.campaign(s, "draft"), on=TODAY)),
    _P + "look": Probe(
        lambda s, a, side: proof.look(s, a, side.campaign(s, "draft"), WAYS["carrier"], [[side.member.id]], on=TODAY),
        shows=True,
    ),
}
