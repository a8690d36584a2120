"""Users and the audit."""

from __future__ import annotations

from broadcaster.access import users
from subscribers import audit
from tests.factories import NOW
from tests.rights.probe import Probe

PASSWORD = "correct horse battery staple"

_U = "broadcaster.access.users."
PROBES = {
    _U + "add": Probe(
        lambda s, a, side: users.add(s, a, "newcomer", "viewer", under=side.branch, password=PASSWORD, now=NOW),
        shows=True,
    ),
    _U + "listing": Probe(lambda s, a, side: users.listing(s, a), shows=True),
    _U + "find": Probe(lambda s, a, side: users.find(s, a, side.user), shows=True),
    _U + "change": Probe(lambda s, a, side: users.change(s, a, side.user, role="viewer", now=NOW), shows=True),
    _U + "set_password": Probe(lambda s, a, side: users.set_password(s, a, side.user, PASSWORD, now=NOW), shows=True),
    _U + "drop_second_factor": Probe(lambda s, a, side: users.drop_second_factor(s, a, side.user, now=NOW), shows=True),
    _U + "disable": Probe(lambda s, a, side: users.disable(s, a, side.user, now=NOW), shows=True),
    _U + "stand_in": Probe(lambda s, a, side: users.stand_in(s, a, side.user, "members.find", now=NOW), shows=True),
    "subscribers.audit.read": Probe(lambda s, a, side: audit.read(s, a, limit=None), shows=True),
    "subscribers.audit.seen_in_full": Probe(
        lambda s, a, side: audit.seen_in_full(s, a, "members.find", people=1, now=NOW),
        makes=True,
        blind="it writes a line about the actor; whose numbers they were, the verb that shows them looks after",
    ),
}
