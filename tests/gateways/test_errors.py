from __future__ import annotations

from broadcaster.gateways.errors import ForgedRequest, GatewayError, LinkDown, Misconfigured, Unsupported
from subscribers.errors import Denied, Invalid, Unavailable


def test_doors_know_them_by_the_errors_of_the_ground_floor() -> None:
    for error, kind, exit_code in (
        (Misconfigured, Invalid, 2),
        (Unsupported, Invalid, 2),
        (ForgedRequest, Denied, 1),
        (LinkDown, Unavailable, 1),
    ):
        raised = error("Gateway {name} has a fault.", hint="Look.", name="sim")
        assert isinstance(raised, GatewayError)
        assert isinstance(raised, kind)
        assert raised.exit_code == exit_code
        assert str(raised) == "Gateway sim has a fault."
