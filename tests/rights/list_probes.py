"""Lists that a worker takes in and takes back: one's own only."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers import importing, list_jobs
from subscribers.importing import refused_rows
from subscribers.importing.undo import may_be_undone
from subscribers.list_jobs import ListKind
from subscribers.models import ImportRun, ListJob
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import TODAY, Side

_GIVEN = {"mapping": {}, "shared": False, "agreed": ""}


def _handed_in(session: Session, side: Side) -> None:
    list_jobs.hand_in(session, side.chief, f"{side.mark}.csv", [b"x"], _GIVEN, now=NOW)


def _over(session: Session, side: Side) -> None:
    _handed_in(session, side)
    _job(session, side).state = "done"
    session.flush()


def _job(session: Session, side: Side) -> ListJob:
    return session.scalars(select(ListJob).where(ListJob.asked_by == side.chief.name)).one()


def _taken_in(session: Session, side: Side) -> None:
    file = side.folder / "list.csv"
    rows = f"{side.mark}新人,+8619900055555,{side.branch}\n{side.mark}坏,1,{side.branch}\n"
    file.write_text(f"姓名,手机,支部\n{rows}", encoding="utf-8")
    agreed = f"{side.mark}签字"
    result = importing.import_members(session, side.chief, file, now=NOW, on=TODAY, agreed=agreed)
    refused_rows.keep(session, result.import_id or 0, result.headings, result.refused)


def _last(session: Session) -> int:
    return session.scalar(select(func.max(ImportRun.id))) or 0


_J = "subscribers.list_jobs."
PROBES = {
    _J + "hand_in": Probe(
        lambda s, a, side: list_jobs.hand_in(s, a, "list.csv", [b"x"], _GIVEN, now=NOW),
        makes=True,
        blind="a list names nobody before it is taken in",
    ),
    _J + "find": Probe(
        lambda s, a, side: list_jobs.find(s, a, _job(s, side).token).file_name, shows=True, ready=_handed_in
    ),
    _J + "ask": Probe(
        lambda s, a, side: list_jobs.ask(s, a, _job(s, side).token, ListKind.TAKE, _GIVEN, now=NOW), ready=_over
    ),
    _J + "ask_to_stop": Probe(lambda s, a, side: list_jobs.ask_to_stop(s, a, _job(s, side).token), ready=_handed_in),
    _J + "ask_undo": Probe(lambda s, a, side: list_jobs.ask_undo(s, a, _last(s), now=NOW), ready=_taken_in),
    "subscribers.importing.undo.may_be_undone": Probe(
        lambda s, a, side: may_be_undone(s, a, _last(s)).file_name, ready=_taken_in
    ),
    "subscribers.importing.last_time.last_time": Probe(
        lambda s, a, side: importing.last_time(s, a, side.folder / "list.csv"), shows=True, ready=_taken_in
    ),
    "subscribers.importing.refused_rows.find": Probe(
        lambda s, a, side: [one.cells for one in refused_rows.find(s, a, _last(s))[1]], shows=True, ready=_taken_in
    ),
}
