"""Claims that are under way beside one another, so that one works while the other waits for the database."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.logs import get

log = get(__name__)

#: claims at once. They never take the same batch: each passes over those that another one holds
AT_ONCE = 2


@dataclass(slots=True)
class _UnderWay:
    claim: Future[ClaimedTurn | None]
    #: parts that it claims at most
    size: int
    #: no other one was under way meanwhile, and may have held what it could have claimed
    is_alone: bool


class Ahead:
    """Begins claims in threads of its own, and gives what came of them in the order in which they were begun."""

    def __init__(self, claim: Callable[[int], ClaimedTurn | None]) -> None:
        self._claim = claim
        self._pool = ThreadPoolExecutor(AT_ONCE, "claim")
        self._under_way: deque[_UnderWay] = deque()
        #: the last one found something: before that, a second look would find as little
        self._finds = False
        #: the last one found nothing, and there was nothing
        self.is_dry = False

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._under_way)

    @property
    def parts(self) -> int:
        """As many as may come of what is under way."""
        return sum(each.size for each in self._under_way)

    def has_room(self, waiting: int) -> bool:
        """Whether one more is worth beginning while so many turns wait to be fed."""
        return len(self) < max(1, (AT_ONCE if self._finds else 1) - waiting)

    def begin(self, size: int) -> None:
        """Begin to claim so many parts at most."""
        for other in self._under_way:
            other.is_alone = False
        is_alone = not self._under_way
        self._under_way.append(_UnderWay(self._pool.submit(self._claim, size), size, is_alone))

    def next(self) -> tuple[ClaimedTurn | None, int]:
        """Wait for the oldest: its turn, None when nothing was due, and its size. Raises what the claim raised."""
        oldest = self._under_way.popleft()
        turn = oldest.claim.result()
        self._finds = turn is not None
        self.is_dry = turn is None and oldest.is_alone
        return turn, oldest.size

    def end(self) -> Iterator[tuple[ClaimedTurn, int]]:
        """The turns that are under way still: they are claimed, so somebody has to hand them over."""
        while self._under_way:
            try:
                turn, size = self.next()
            except Exception as error:
                # it has claimed nothing, or has given it back
                log.warning("a claim failed while others ended", error=str(error))
            else:
                if turn is not None:
                    yield turn, size
        self._pool.shutdown()
