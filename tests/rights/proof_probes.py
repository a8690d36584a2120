"""An edition on the phones of a sample of its readers."""

from __future__ import annotations

from broadcaster.campaigns import compose, proof
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.reach import reach
from broadcaster.delivery import proofs
from broadcaster.delivery.proofs import ProofText
from tests.delivery.ledger import ROUTE, WAYS
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import TODAY

OWN = "+8619900000077"
TEXT = ProofText("everyone", "通知", Dress(), WAYS["carrier"].capabilities)
_P = "broadcaster.campaigns.proof."
PROBES = {
    _P + "sample": Probe(lambda s, a, side: proof.sample(s, a, side.campaign(s, "draft"), on=TODAY)),
    _P + "look": Probe(
        lambda s, a, side: proof.look(s, a, side.campaign(s, "draft"), WAYS["carrier"], [[side.member.id]], on=TODAY),
        shows=True,
    ),
    "broadcaster.campaigns.reach.reach": Probe(
        lambda s, a, side: reach(s, a, side.campaign(s, "draft"), ROUTE, on=TODAY)
    ),
    "broadcaster.campaigns.compose.of_edition": Probe(
        lambda s, a, side: compose.of_edition(s, a, side.edition),
    ),
    "broadcaster.delivery.proofs.send": Probe(
        lambda s, a, side: proofs.send(s, a, side.edition, [TEXT], "carrier", OWN, now=NOW)
    ),
    "broadcaster.delivery.proofs.send_code": Probe(
        lambda s, a, side: proofs.send_code(s, a, "123456", Dress(), WAYS["carrier"].capabilities, "carrier", OWN),
        makes=True,
        blind="it goes to the actor's own phone, and names nothing",
    ),
    "broadcaster.delivery.proofs.sent": Probe(lambda s, a, side: proofs.sent(s, a, side.edition, since=NOW)),
    "broadcaster.delivery.proofs.texts": Probe(lambda s, a, side: proofs.texts(s, a, side.edition, since=NOW)),
}
