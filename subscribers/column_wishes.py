"""Wishes about one column of the paper: kept beside those about the paper itself, by the same rules.

Who refuses a column still gets the paper; who refuses the paper gets none of its columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Insert, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.consent import (
    OWN_WORD,
    Present,
    Recorded,
    Said,
    changes,
    present_after,
    refuse_strangers,
    stays_out,
)
from subscribers.db import in_bulk, is_sqlite, reserve_ids
from subscribers.errors import Invalid
from subscribers.models import ColumnWish, Consent, Wish

TOPIC_LENGTH = 100

#: a number and a column
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SaidOfColumn:
    """One expression of will about one column."""

    topic: str
    said: Said

    @property
    def key(self) -> Key:
        """Whose, and about which column."""
        return self.said.msisdn, self.topic


def clean_topic(text: str) -> str:
    """The name of a column as it is kept; empty for the paper itself. Raises `Invalid`."""
    topic = " ".join(text.split())
    if len(topic) > TOPIC_LENGTH or not topic.isprintable():
        raise Invalid(
            "The name of the column is too long, or has signs in it that cannot be printed.",
            hint="Give at most {length} characters.",
            length=TOPIC_LENGTH,
        )
    return topic


@needs(Right.REGISTER)
def record_columns(session: Session, actor: Actor, rows: Iterable[SaidOfColumn], *, now: datetime) -> Recorded:
    """Add the evidence and bring the wishes about columns up to date, in order; a few statements per thousand rows.

    Raises `NotFound` for a number that is nobody's in the actor's part of the tree.
    """
    written, still_out = 0, []
    for portion in in_bulk(rows):
        refuse_strangers(session, actor, [one.said.msisdn for one in portion])
        keys = sorted({one.key for one in portion})
        present = column_wishes(session, keys, lock=True)
        before = dict(present)
        news = []
        for one in portion:
            if stays_out(present.get(one.key), one.said):
                still_out.append(one.said.msisdn)
            elif changes(present.get(one.key), one.said):
                news.append(one)
                present[one.key] = present_after(present.get(one.key), one.said, now)
        _write(session, actor, news, before, present, now)
        written += len({one.key for one in news})
    return Recorded(written, tuple(dict.fromkeys(still_out)))


def column_wishes(session: Session, keys: Collection[Key], *, lock: bool = False) -> dict[Key, Present]:
    """The present wish of each number and column that has one; with `lock`, held until the end of the transaction."""
    found: dict[Key, Present] = {}
    for portion in in_bulk(keys):
        query = (
            select(
                ColumnWish.msisdn,
                ColumnWish.topic,
                ColumnWish.wish,
                Consent.source,
                ColumnWish.since,
                Consent.import_run_id,
                Consent.msisdn.is_(None),
            )
            .join(Consent, Consent.id == ColumnWish.consent_id)
            .where(tuple_(ColumnWish.msisdn, ColumnWish.topic).in_(portion))
        )
        if lock:
            # in one order everywhere, so that two of us cannot wait for each other
            query = query.order_by(ColumnWish.msisdn, ColumnWish.topic).with_for_update(of=ColumnWish)
        for msisdn, topic, wish, source, since, import_run_id, collective in session.execute(query):
            found[msisdn, topic] = Present(Wish(wish), source in OWN_WORD, since, import_run_id, collective)
    return found


def _write(
    session: Session,
    actor: Actor,
    news: Sequence[SaidOfColumn],
    before: Mapping[Key, Present],
    after: Mapping[Key, Present],
    now: datetime,
) -> None:
    if not news:
        return
    _give_rows_of_their_own(session, [one.key for one in news if one.key in before and before[one.key].collective])
    ids = reserve_ids(session, Consent, len(news))
    evidence = [
        asdict(one.said) | {"id": id_, "topic": one.topic, "actor": actor.name, "at": one.said.at or now}
        for one, id_ in zip(news, ids, strict=True)
    ]
    session.execute(insert(Consent), evidence)
    last = {one.key: id_ for one, id_ in zip(news, ids, strict=True)}
    rows = {
        key: {"msisdn": key[0], "topic": key[1], "wish": after[key].wish, "since": after[key].since, "consent_id": id_}
        for key, id_ in sorted(last.items())
    }
    if known := [row for key, row in rows.items() if key in before]:
        session.execute(_upsert(session, over_all=True), known)
    if fresh := [row for key, row in rows.items() if key not in before]:
        session.execute(_upsert(session, over_all=False), fresh)


def _give_rows_of_their_own(session: Session, keys: Sequence[Key]) -> None:
    """What was said of many, said of each of these numbers: their wish is about to rest on something else."""
    kept = (Consent.wish, Consent.topic, Consent.source, Consent.wording, Consent.actor, Consent.import_run_id)
    if keys:
        copies = (
            select(ColumnWish.msisdn, *kept, Consent.at)
            .join(Consent, Consent.id == ColumnWish.consent_id)
            .where(tuple_(ColumnWish.msisdn, ColumnWish.topic).in_(keys))
        )
        session.execute(insert(Consent).from_select(["msisdn", *(column.key for column in kept), "at"], copies))


def _upsert(session: Session, *, over_all: bool) -> Insert:
    """Over what is there, which is locked; or only with an "out", where nothing was there when we looked."""
    statement = sqlite.insert(ColumnWish) if is_sqlite(session) else postgresql.insert(ColumnWish)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["msisdn", "topic"],
        set_={"wish": new.wish, "since": new.since, "consent_id": new.consent_id},
        where=None if over_all else new.wish == Wish.OUT,
    )
