"""What is set for a time is as before afterwards, whatever happened meanwhile."""

from __future__ import annotations

import gc
import sys

import pytest

from subscribers.interpreter import seldom_collecting, settled, turns_of


def test_cycles_are_looked_for_less_often() -> None:
    usual = gc.get_threshold()
    with pytest.raises(KeyError), seldom_collecting():
        assert gc.get_threshold()[0] > 10 * usual[0]
        assert gc.get_threshold()[1:] == usual[1:]
        raise KeyError
    assert gc.get_threshold() == usual


def test_what_is_loaded_is_passed_over() -> None:
    before = gc.get_freeze_count()
    with pytest.raises(KeyError), settled():
        assert gc.get_freeze_count() > before + 1000
        raise KeyError
    assert gc.get_freeze_count() == 0


def test_threads_keep_the_interpreter_for_so_long() -> None:
    usual = sys.getswitchinterval()
    with pytest.raises(KeyError), turns_of(0.5):
        assert sys.getswitchinterval() == pytest.approx(0.5)
        raise KeyError
    assert sys.getswitchinterval() == usual
