from __future__ import annotations

import secrets

import pytest

from benchmarks import fuzz_smpp
from broadcaster.gateways.smpp import receipts


def test_broken_octets_raise_nothing_that_was_not_foreseen() -> None:
    seed = secrets.randbelow(2**31)
    print(f"again: python3 run.py bench fuzz_smpp --processes 1 --inputs 40000 --seed {seed}")  # noqa: T201
    result = fuzz_smpp.fuzz(seed, 40_000, seconds=5)
    assert not result.exceptions, "\n".join(result.shown)
    assert result.growth < 20
    # else it would only ever try the first check
    assert result.understood > result.inputs / 4


def test_the_same_seed_makes_the_same_inputs() -> None:
    assert fuzz_smpp.fuzz(5, 300).understood == fuzz_smpp.fuzz(5, 300).understood


def test_a_reader_that_raises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "moment", lambda written, zone: 1 / len(written))
    result = fuzz_smpp.fuzz(1, 2_000)
    assert result.exceptions
    assert "ZeroDivisionError" in result.shown[0]
