"""Cells that a spreadsheet must not calculate come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.cells import protect, unprotect


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n ＝＋－＠ab中1"), max_size=6))
def test_every_cell_comes_back(cell: str) -> None:
    assert unprotect(protect(cell)) == cell


@pytest.mark.parametrize(
    "cell", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1", "＝1", "＋", "－1", "＠x"]
)
def test_what_could_be_calculated_gets_an_apostrophe(cell: str) -> None:
    assert protect(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "读者", "a=b", "'quoted'", "13800002231", " x"])
def test_the_rest_stays_as_it_is(cell: str) -> None:
    assert protect(cell) == cell
