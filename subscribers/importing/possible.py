"""Whom a row may mean: asked of a map in memory, so that the database is asked only about those who may be there.

A Bloom filter: a key sets three bits in each of two bytes, which it shares with others, so that "no" is certain and
"yes" means that the database must say. For a small file beside a large registry reading all keys would cost more than
it spares; then the answer is always "yes".
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import combinations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers.models import Member, Number, Subscription

#: bytes of a row of a members' file, about
_ROW = 60
#: bytes of the map: enough for one false alarm in some ten thousand keys
_LEAST, _BYTES_PER_KEY, _MOST = 1 << 16, 4, 1 << 26
#: three of the eight bits of a byte, picked by six bits of a hash
_PATTERNS = (tuple(sum(1 << bit for bit in bits) for bits in combinations(range(8), 3)) * 2)[:64]
#: reading a key once costs about a tenth of asking for it by its index
_WORTH = 10


class Possible:
    """Numbers and external ids that may be on record. `size` is a power of two, at most 2**26."""

    def __init__(self, size: int) -> None:
        self._mask = size - 1
        self._bytes = bytearray(size)

    def among(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that may be there."""
        table, mask, patterns = self._bytes, self._mask, _PATTERNS
        return {
            key
            for key in keys
            # bits 0 to 25 of the hash pick the one byte, 26 to 31 the pattern, 32 to 57 the other byte
            if (found := table[(h := hash(key)) & mask])
            and found & (bits := patterns[h >> 26 & 63]) == bits
            and table[h >> 32 & mask] & bits == bits
        }

    def fill(self) -> None:
        """Anybody may be on record."""
        self._bytes = bytearray(b"\xff") * len(self._bytes)

    def add(self, keys: Iterable[str]) -> None:
        """These keys are on record from now on."""
        table, mask, patterns = self._bytes, self._mask, _PATTERNS
        for key in keys:
            h = hash(key)
            bits = patterns[h >> 26 & 63]
            table[h & mask] |= bits
            table[h >> 32 & mask] |= bits


def everything() -> Possible:
    """A map by which nothing is known to be missing."""
    made = Possible(1)
    made.fill()
    return made


def possible(session: Session, file_bytes: int) -> Possible:
    """The keys of the registry as it is now, if the file is large enough beside it to be worth reading them."""
    rows = file_bytes // _ROW
    # ids are given in order, and a look at the greatest is cheaper than a count
    known = (session.scalar(select(func.max(Member.id))) or 0) + (session.scalar(select(func.max(Number.id))) or 0)
    if known > rows * _WORTH:
        return everything()
    size = _LEAST
    while size < min((known + 2 * rows) * _BYTES_PER_KEY, _MOST):
        size *= 2
    made = Possible(size)
    for column in (Number.msisdn, Subscription.msisdn, Member.external_id):
        found = session.scalars(select(column).where(column.is_not(None)).execution_options(yield_per=10_000))
        made.add(key for key in found if key is not None)
    return made


class RowsOfMembers:
    """Member -> the row of the file that spoke of them: four bytes each, in pages, so that millions fit in memory."""

    _PAGE = 4096

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def __getitem__(self, member_id: int) -> int:
        """The row, 0 if there is none."""
        page = self._pages.get(member_id // self._PAGE)
        return page[member_id % self._PAGE] if page else 0

    def __setitem__(self, member_id: int, row: int) -> None:
        page = self._pages.get(member_id // self._PAGE)
        if page is None:
            page = self._pages[member_id // self._PAGE] = array("I", bytes(4 * self._PAGE))
        page[member_id % self._PAGE] = row
