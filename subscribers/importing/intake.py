"""The rows of one file on their way into the registry, a portion at a time.

Plain rows and people whom nobody can know yet are written as they come, while the database is still busy with those
before them. Rows that may mean somebody on record are held back, and asked about many at a time: a question waits until
all before it is written. That changes nothing of what comes out, for the rows of one person stay in their order
(tests/subscribers/importing/test_portions.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from subscribers.bulk import Loader
from subscribers.errors import Invalid
from subscribers.forgetting import stays_forgotten
from subscribers.importing.decisions import Decision, decide, note
from subscribers.importing.first_list import Aside
from subscribers.importing.known import Known, keys_of, read_known
from subscribers.importing.matching import Circumstances
from subscribers.importing.plain import Plain, PlainReader, nothing, sort_out
from subscribers.importing.possible import Possible
from subscribers.importing.rejects import RefusedRow, refuse
from subscribers.importing.rows import CheckedRow, Reader
from subscribers.importing.unreached import (
    NAMED,
    Reason,
    Unreached,
    copy_is_theirs,
    heard_along,
    reason_of,
    takes_another_along,
)
from subscribers.importing.writing import Writer
from subscribers.models import ForgottenNumber, Wish
from subscribers.organisations import find_paths
from subscribers.sheets import Row

#: what plain rows say of the paper if nothing can be sent to them
_UNREACHED = ((None, Reason.NO_CONSENT), ((Wish.OUT, True), Reason.OPTED_OUT))
#: rows that are asked about together: enough to spare statements, little enough for memory
MOST_HELD = 10_000


@dataclass(slots=True)
class Tally:
    """What became of the rows so far; as in `ImportResult`."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    still_out: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    unreached: dict[Reason, Unreached] = field(default_factory=dict)

    def leave_out(self, reason: Reason, people: int, rows: Sequence[int]) -> None:
        """Nothing can be sent to so many people, the first of them in these rows."""
        self.unreached.setdefault(reason, Unreached()).add(people, rows)

    def take_in(self, reason: Reason, rows: Sequence[int]) -> None:
        """The people of these rows were left out for this reason, and are not any more."""
        # rows that contradict each other about one handset are told as well as they go by, and never below nobody
        left = self.unreached.get(reason, Unreached())
        left.remove(rows)
        if left.people <= 0:
            self.unreached.pop(reason, None)


@dataclass(slots=True)
class Intake:
    """Takes portions of rows; `finish` when there are no more."""

    session: Session
    loader: Loader
    around: Circumstances
    reader: Reader
    plain_reader: PlainReader
    writer: Writer
    #: paths of names -> paths of ids; shared with the writer
    organisations: dict[str, str]
    #: the keys of everybody on record, and of every row so far
    maybe: Possible
    #: indexes that the first question needs back
    aside: Aside
    #: of the numbers of people who were forgotten
    key: bytes
    tally: Tally = field(default_factory=Tally)
    #: rows in question, and whether no ids are reserved for some of them
    _held: list[CheckedRow] = field(default_factory=list)
    _without_ids: bool = False
    _anybody_forgotten: bool = field(init=False)

    def __post_init__(self) -> None:
        self._anybody_forgotten = bool(self.session.scalar(select(exists(select(ForgottenNumber.digest)))))

    def take(self, portion: Sequence[Row]) -> None:
        """The next rows of the file."""
        plain, others = nothing(), portion
        if not self._anybody_forgotten:
            plain, others = self.plain_reader.read(portion)
        checked = self._check(others)
        if plain.rows:
            plain, doubtful = sort_out(
                self.session, self.loader, plain, checked, self.around, self.organisations, self.maybe
            )
            back = set(doubtful)
            checked += self._check([row for row in portion if row[0] in back])
            checked.sort(key=lambda row: row.row)
        new, in_question, keyless = self._sort(checked)
        if plain.rows or new:
            if self._without_ids:
                # they stand before these in the file, and so in the registry
                self._ask_and_write()
            later = [row.row for row in checked]
            self.writer.reserve(sorted([*plain.rows, *later]) if later else plain.rows, later)
            self.writer.add_plain(plain)
        elif in_question:
            # most often they are on record, and need none
            self._without_ids = True
        self._held += in_question
        if self.around.closed:
            self._look_up_organisations(new)
        self.writer.write(self._decide(new, Known(self.organisations, forgotten=self._forgotten(new))))
        self.tally.created += len(plain.rows)
        self._count_plain(plain)
        self.tally.rows += len(portion)
        self.maybe.add(plain.msisdns)
        self.maybe.add(plain.external_ids)
        if keyless or len(self._held) >= MOST_HELD:
            self._ask_and_write()

    def _count_plain(self, plain: Plain) -> None:
        for wish, reason in _UNREACHED:
            if count := plain.wishes.count(wish):
                first = (row for row, said in zip(plain.rows, plain.wishes, strict=True) if said == wish)
                self.tally.leave_out(reason, count, list(islice(first, NAMED)))

    def finish(self) -> None:
        """Write what is left."""
        self._ask_and_write()
        self.loader.wait()
        self.aside.put_back()

    def _check(self, rows: Sequence[Row]) -> list[CheckedRow]:
        checked = []
        for number, cells in rows:
            try:
                checked.append(self.reader.read(number, cells))
            except Invalid as error:
                self.tally.refused.append(refuse(number, cells, error))
        return checked

    def _sort(self, checked: Sequence[CheckedRow]) -> tuple[list[CheckedRow], list[CheckedRow], bool]:
        """Those about whom nothing need be asked; the others; and whether one of these has neither number nor id.

        That one is known by name and place, which no map has: all before it must be written, and all after it wait.
        """
        new: list[CheckedRow] = []
        in_question: list[CheckedRow] = []
        keyless = False
        for row in checked:
            keys = [number.msisdn for number in row.numbers]
            if row.external_id:
                keys.append(row.external_id)
            keyless = keyless or not keys
            (in_question if keyless or self.maybe.among(keys) else new).append(row)
            self.maybe.add(keys)
        return new, in_question, keyless

    def _ask_and_write(self) -> None:
        if not self._held:
            return
        rows, self._held, self._without_ids = self._held, [], False
        self.loader.wait()
        self.aside.put_back()
        self._look_up_organisations(rows)
        known = read_known(self.session, keys_of(rows), self.organisations)
        known.forgotten = self._forgotten(rows)
        self.writer.write(self._decide(rows, known))
        self.writer.forget_reserved()

    def _count(self, decision: Decision, known: Known) -> None:
        """Who cannot be sent to; others on the same handset may be, or not be, because of this row."""
        row, tally = decision.row, self.tally
        reason = reason_of(decision, known)
        if reason is not None:
            tally.leave_out(reason, 1, [row.row])
            if takes_another_along(decision, known, self.around):
                tally.leave_out(reason, 1, [])
            if reason is Reason.NO_CONSENT and decision.before is None:
                known.unheard.setdefault(row.numbers[0].msisdn, []).append(row.row)
        if rows := heard_along(decision, known, self.around):
            tally.take_in(Reason.NO_CONSENT, rows)
            if others := rows[copy_is_theirs(decision, rows, known, self.around) :]:
                tally.leave_out(Reason.DUPLICATE_HANDSET, len(others), others)

    def _forgotten(self, rows: Sequence[CheckedRow]) -> Collection[str]:
        if not self._anybody_forgotten:
            return ()
        self.loader.wait()
        return stays_forgotten(self.session, {number.msisdn for row in rows for number in row.numbers}, self.key)

    def _look_up_organisations(self, rows: Sequence[CheckedRow]) -> None:
        """Who is known by name and place, or changes place, is compared by it."""
        named = {row.organisation or self.around.default_organisation for row in rows}
        if missing := named - self.organisations.keys():
            self.loader.wait()
            self.organisations |= find_paths(self.session, missing)

    def _decide(self, rows: Sequence[CheckedRow], known: Known) -> list[Decision]:
        """The decisions that have something to write."""
        decisions = []
        tally = self.tally
        for row in rows:
            try:
                decision = decide(row, known, self.around)
            except Invalid as error:
                tally.refused.append(refuse(row.row, row.cells, error))
                continue
            self._count(decision, known)
            note(decision, known, self.around)
            tally.still_out += decision.still_out
            if decision.before is None:
                tally.created += 1
            elif decision.changes_something:
                tally.updated += 1
            else:
                tally.unchanged += 1
                continue
            decisions.append(decision)
        return decisions
