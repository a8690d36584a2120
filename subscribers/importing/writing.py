"""Decisions -> rows of the database, a portion at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from subscribers.actor import Actor
from subscribers.bulk import Ids, Loader, Rows
from subscribers.consent import said_of_many
from subscribers.importing.changing import write_changes
from subscribers.importing.decisions import SOURCE, Decision, standing_of
from subscribers.importing.matching import Circumstances
from subscribers.models import ImportSpan, Member, Membership, Number, Subscription, Wish
from subscribers.msisdn import operator
from subscribers.names import search_key
from subscribers.organisations import ensure_paths, find_paths

_MEMBER = ("id", "external_id", "name", "search_key", "birthday", "tags", "fields", "created_at")
_NUMBER = ("id", "member_id", "msisdn", "kind", "preferred", "shared", "operator")
_MEMBERSHIP = (
    "id",
    "member_id",
    "organisation_id",
    "status",
    "mobile",
    "away_place",
    "host_branch",
    "valid_from",
    "valid_until",
)
_SUBSCRIPTION = ("msisdn", "wish", "since", "consent_id")


@dataclass(slots=True)
class Writer:
    """What the writing of one file needs, and what it keeps for the end."""

    session: Session
    actor: Actor
    loader: Loader
    around: Circumstances
    #: paths of names -> paths of ids, of all organisations met so far
    organisations: dict[str, str]
    members: Ids
    numbers: Ids
    memberships: Ids
    #: the wish, and whether the row itself said so -> the evidence that such wishes rest on
    evidence: dict[tuple[Wish, bool], str] = field(default_factory=dict)
    spans: list[ImportSpan] = field(default_factory=list)

    def write(self, decisions: Sequence[Decision]) -> None:
        """Write what was decided, and what was there before. New members may still be on their way at its end."""
        new = [decision for decision in decisions if decision.before is None]
        self._prepare(decisions, new)
        tables = self._rows(new)
        self.loader.write(tables)
        changed = [decision for decision in decisions if decision.before is not None or not decision.first_word]
        sharing = [decision for decision in new if decision.shares]
        if changed or sharing:
            self.loader.wait()
            write_changes(
                self.session,
                self.actor,
                changed,
                sharing,
                self.organisations,
                numbers=self.numbers,
                memberships=self.memberships,
                around=self.around,
            )

    def _prepare(self, decisions: Iterable[Decision], new: Sequence[Decision]) -> None:
        """Have the organisations, the evidence and the ids that the rows will name."""
        default = self.around.default_organisation
        named = {decision.row.organisation or default for decision in new}
        named |= {place.organisation for decision in decisions for place in decision.places if place.organisation}
        if missing := named - self.organisations.keys():
            self.loader.wait()
            ensure_paths(self.session, self.actor, missing, now=self.around.now)
            self.organisations |= find_paths(self.session, missing)
        said = {(d.wish, d.row.wish is not None) for d in decisions if d.wish is not None and d.first_word}
        for wish, by_row in said - self.evidence.keys():
            self.loader.wait()
            self.evidence[wish, by_row] = str(self._said(wish, by_row=by_row))
        numbers = sum([len(decision.row.numbers) for decision in new])
        if not all(
            ids.holds(count)
            for ids, count in ((self.members, len(new)), (self.numbers, numbers), (self.memberships, len(new)))
        ):
            self.loader.wait()
            self.members.provide(len(new))
            self.numbers.provide(numbers)
            self.memberships.provide(len(new))

    def _said(self, wish: Wish, *, by_row: bool) -> int:
        around = self.around
        return said_of_many(
            self.session,
            self.actor,
            wish,
            source=SOURCE,
            wording=around.file if by_row else f"{around.agreed} ({around.file})",
            import_run_id=around.import_id,
            now=around.now,
        )

    def _rows(self, new: Sequence[Decision]) -> list[Rows]:
        """The rows of somebody new: who they are, their numbers, their place, their first word."""
        null, text, organisations = self.loader.null, self.loader.cell, self.organisations
        at, today = self.loader.instant(self.around.now), str(self.around.on)
        default = self.around.default_organisation
        members, numbers = Rows(Member, _MEMBER), Rows(Number, _NUMBER)
        memberships, subscriptions = Rows(Membership, _MEMBERSHIP), Rows(Subscription, _SUBSCRIPTION)
        member_ids = self.members.take_all(len(new))
        place_ids = self.memberships.take_all(len(new))
        number_ids = self.numbers.take_all(sum([len(decision.row.numbers) for decision in new]))
        number_id = iter(map(str, number_ids))
        for decision, member_id, place_id in zip(new, member_ids, place_ids, strict=True):
            row = decision.row
            id_ = str(member_id)
            name, key = row.name, search_key(row.name)
            if (cell := text(name)) is not name:
                name, key = cell, text(key)
            members.cells.append(
                (
                    id_,
                    text(row.external_id) if row.external_id else null,
                    name,
                    key,
                    str(row.birthday) if row.birthday else null,
                    text(json.dumps(row.tags, ensure_ascii=False)) if row.tags else "[]",
                    text(json.dumps(dict(row.fields), ensure_ascii=False)) if row.fields else "{}",
                    at,
                )
            )
            preferred, shared = "1", "1" if decision.shares else "0"
            for number in row.numbers:
                msisdn = number.msisdn
                numbers.cells.append(
                    (next(number_id), id_, msisdn, number.kind, preferred, shared, operator(msisdn) or null)
                )
                preferred = "0"
            standing = standing_of(row)
            memberships.cells.append(
                (
                    str(place_id),
                    id_,
                    organisations[row.organisation or default].rsplit("/", 2)[-2],
                    standing.status,
                    "1" if standing.mobile else "0",
                    text(row.away_place) if row.away_place else null,
                    text(row.host_branch) if row.host_branch else null,
                    str(row.joined_on) if row.joined_on else today,
                    null,
                )
            )
            if decision.wish is not None and decision.first_word:
                evidence = self.evidence[decision.wish, row.wish is not None]
                subscriptions.cells.append((row.numbers[0].msisdn, decision.wish, at, evidence))
        self._remember(new, member_ids, number_ids[-1] if number_ids else 0)
        return [members, numbers, memberships, subscriptions]

    def _remember(self, new: Sequence[Decision], member_ids: Sequence[int], last_number_id: int) -> None:
        """Which member came of which row, and which of them this file made."""
        run = self.around.import_id
        for decision, member_id in zip(new, member_ids, strict=True):
            self.around.rows[member_id] = decision.row.row
        for first, last in runs_of(member_ids):
            if self.spans and self.spans[-1].last_id == first - 1:
                self.spans[-1].last_id, self.spans[-1].last_number_id = last, last_number_id
            else:
                span = ImportSpan(import_run_id=run, first_id=first, last_id=last, last_number_id=last_number_id)
                self.spans.append(span)


def runs_of(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers -> first and last of each run without a gap.

    >>> runs_of([1, 2, 3, 7, 8, 11])
    [(1, 3), (7, 8), (11, 11)]
    """
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
