"""An edition on the phones of a sample of its readers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns import anew, compose, proof
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.reach import reach
from broadcaster.delivery import proofs
from broadcaster.delivery.proofs import ProofText
from broadcaster.newspaper.models import Edition
from tests.delivery.ledger import ROUTE, WAYS
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import TODAY, Side

OWN = "+8619900000077"
TEXT = ProofText("everyone", "通知", Dress(), WAYS["carrier"].capabilities)
PAPER = {"paper": "晨晖", "language": "zh", "dress": Dress()}


def _changed_since(session: Session, side: Side) -> None:
    """Its draft was made of its edition, when that had other words."""
    edition = session.scalars(select(Edition.id).where(Edition.number == side.edition)).one()
    side.campaign(session, "draft").edition_id = edition
    session.flush()


_P = "broadcaster.campaigns.proof."
PROBES = {
    _P + "sample": Probe(lambda s, a, side: proof.sample(s, a, side.campaign(s, "draft"), on=TODAY)),
    _P + "look_on": Probe(
        lambda s, a, side: proof.look_on(s, a, side.campaign(s, "draft"), proof.Sampled([[]], {0: 0}), on=TODAY)
    ),
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
    "broadcaster.campaigns.compose.editions_of": Probe(
        lambda s, a, side: [side.mark for _ in compose.editions_of(s, a, side.campaigns.values())],
        ready=_changed_since,
        shows=True,
    ),
    "broadcaster.campaigns.anew.left_behind": Probe(
        lambda s, a, side: [each.title for found in anew.left_behind(s, a, [side.edition]).values() for each in found],
        ready=_changed_since,
        shows=True,
    ),
    "broadcaster.campaigns.anew.make_anew": Probe(
        lambda s, a, side: anew.make_anew(s, a, side.campaigns["draft"], **PAPER, now=NOW),
        ready=_changed_since,
        shows=True,
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
