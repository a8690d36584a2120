"""Places at a gateway: who has a share of its rate, and who has none any more."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from broadcaster.delivery import leases, owners
from broadcaster.delivery.models import Owner
from broadcaster.runtime import Runtime
from subscribers.errors import Unavailable
from tests.databases import Transactions
from tests.delivery.ledger import owner


def _share(begin: Transactions, owner_id: int) -> float | None:
    with begin() as tx:
        return leases.share(tx.session, "carrier", owner_id)


def test_those_who_have_a_place_share_the_rate(begin: Transactions) -> None:
    first = owner(begin)
    assert _share(begin, first) == 1
    second = owner(begin)
    assert _share(begin, first) == _share(begin, second) == 0.5
    with begin() as tx:
        assert leases.share(tx.session, "other", first) is None
        leases.give_back(tx.session, "carrier", first)
    assert _share(begin, first) is None
    assert _share(begin, second) == 1


def test_who_was_taken_for_dead_is_told_so(begin: Transactions) -> None:
    first, second = owner(begin), owner(begin)
    with begin() as tx:
        owners.bury(tx.session, first, None, now=tx.now)
    with pytest.raises(Unavailable, match="taken for dead"):
        _share(begin, first)
    assert _share(begin, second) == 1


def test_nobody_is_taken_for_dead_in_the_middle_of_a_claim(begin: Transactions) -> None:
    mine = owner(begin)
    buried = threading.Event()

    def bury() -> None:
        with begin() as tx:
            owners.bury(tx.session, mine, None, now=tx.now)
        buried.set()

    other = threading.Thread(target=bury)
    with begin() as tx:
        assert leases.share(tx.session, "carrier", mine) == 1
        other.start()
        assert not buried.wait(0.3)
    other.join()
    assert buried.is_set()


def test_a_claim_that_waited_for_its_own_burial_finds_it(begin: Transactions) -> None:
    mine = owner(begin)
    found: list[object] = []

    def claim() -> None:
        try:
            found.append(_share(begin, mine))
        except Unavailable as error:
            found.append(error)

    other = threading.Thread(target=claim)
    with begin() as tx:
        owners.bury(tx.session, mine, None, now=tx.now)
        other.start()
        other.join(0.3)
        assert not found
    other.join()
    assert isinstance(found[0], Unavailable)


def test_a_connection_stands_on_when_its_process_registers_anew(house: Runtime) -> None:
    """Somebody took it for dead while its lock was gone; the connection knows nothing of it."""
    assert house.take_place("simulator") == 1
    former = house._owner
    assert former is not None
    house.linked.add("simulator")
    with house.begin() as tx:
        (first,) = tx.session.scalars(select(Owner.id))
        owners.end(tx.session, first, now=tx.now)
    assert house.take_place("simulator") == 1
    with house.reading() as tx:
        (held,) = leases.holders(tx.session, house.locks)
    # who lost its lock has none to give back; here it stands still
    former.held.release()
    assert held.owner_id != first
    assert held.bound_at is not None
