"""The people on the list, their numbers, standing, transfers, admissions, consent, import and export."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster import forgetting as everywhere
from broadcaster.undoing import undo_import
from subscribers import (
    admissions,
    consent,
    exporting,
    finding,
    forgetting,
    holding,
    importing,
    members,
    membership,
    numbers,
    records,
    registry,
    transfers,
)
from subscribers.actor import Actor
from subscribers.models import ImportRun, Wish
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import KEY, TODAY, Side, number_of

_FRESH = "+8619900055555"


def _members_file(side: Side) -> Path:
    file = side.folder / "members.csv"
    file.write_text(f"姓名,手机,支部,状态\n{side.mark}新人,{_FRESH},{side.branch},在职\n", encoding="utf-8")
    return file


def _import(session: Session, actor: Actor, side: Side) -> object:
    return importing.import_members(session, actor, _members_file(side), now=NOW, on=TODAY)


def _last_import(session: Session) -> int:
    return session.scalars(select(func.max(ImportRun.id))).one() or 0


def _export(session: Session, actor: Actor, side: Side) -> str:
    file = side.folder / "out.csv"
    exporting.export_members(session, actor, file, to="everyone", now=NOW, on=TODAY)
    return file.read_text("utf-8-sig")


def _said(side: Side, session: Session) -> consent.Said:
    return consent.Said(number_of(session, side.member), Wish.OUT, "import", "-")


def _moved(session: Session, side: Side) -> None:
    membership.update_status(session, side.chief, side.member.id, mobile=True, on=TODAY, now=NOW)


_S = "subscribers."
PROBES = {
    "subscribers.importing.past.past": Probe(
        lambda s, a, side: importing.past(s, a), blind="of a part of the tree one's own are shown"
    ),
    _S + "finding.find": Probe(lambda s, a, side: finding.find(s, a, side.mark, on=TODAY), shows=True),
    _S + "registry.get": Probe(lambda s, a, side: registry.get(s, a, side.member.id, on=TODAY), shows=True),
    _S + "registry.holders": Probe(
        lambda s, a, side: list(registry.holders(s, a, [number_of(s, side.member)], on=TODAY).values()), shows=True
    ),
    _S + "records.show": Probe(lambda s, a, side: records.show(s, a, side.member.id, on=TODAY, now=NOW), shows=True),
    _S + "records.marks": Probe(lambda s, a, side: records.marks(s, a, side.member.id)),
    _S + "records.history": Probe(lambda s, a, side: records.history(s, a, side.member.id), shows=True),
    _S + "holding.hold": Probe(lambda s, a, side: holding.hold(s, a, side.member.id), shows=True),
    _S + "members.register": Probe(
        lambda s, a, side: members.register(
            s, a, members.NewMember(name=f"{side.mark}新人", organisation=side.branch), key=KEY, on=TODAY, now=NOW
        )
    ),
    _S + "members.update": Probe(
        lambda s, a, side: members.update(s, a, side.member.id, name=f"{side.mark}改名", on=TODAY, now=NOW), shows=True
    ),
    _S + "membership.update_status": Probe(
        lambda s, a, side: membership.update_status(s, a, side.member.id, mobile=True, on=TODAY, now=NOW)
    ),
    _S + "membership.leave": Probe(lambda s, a, side: membership.leave(s, a, side.member.id, on=TODAY, now=NOW)),
    _S + "membership.rejoin": Probe(lambda s, a, side: membership.rejoin(s, a, side.left.id, on=TODAY, now=NOW)),
    _S + "membership.take_back": Probe(
        lambda s, a, side: membership.take_back(s, a, side.member.id, now=NOW), ready=_moved
    ),
    _S + "numbers.add_number": Probe(lambda s, a, side: numbers.add_number(s, a, side.member.id, _FRESH, now=NOW)),
    _S + "numbers.remove_number": Probe(
        lambda s, a, side: numbers.remove_number(s, a, side.member.id, number_of(s, side.member), now=NOW)
    ),
    _S + "numbers.prefer_number": Probe(
        lambda s, a, side: numbers.prefer_number(s, a, side.member.id, number_of(s, side.member), now=NOW)
    ),
    _S + "numbers.set_operator": Probe(
        lambda s, a, side: numbers.set_operator(s, a, side.member.id, number_of(s, side.member), "unicom", now=NOW)
    ),
    _S + "numbers.to_verify": Probe(lambda s, a, side: numbers.to_verify(s, a), shows=True),
    _S + "numbers.verify": Probe(
        lambda s, a, side: numbers.verify(s, a, side.suspended.id, number_of(s, side.suspended), ok=True, now=NOW)
    ),
    _S + "transfers.ask": Probe(
        lambda s, a, side: transfers.ask(s, a, side.member.id, side.other_branch, on=TODAY, now=NOW)
    ),
    _S + "transfers.accept": Probe(lambda s, a, side: transfers.accept(s, a, side.transfer_in, on=TODAY, now=NOW)),
    _S + "transfers.refuse": Probe(lambda s, a, side: transfers.refuse(s, a, side.transfer_in, now=NOW)),
    _S + "transfers.withdraw": Probe(lambda s, a, side: transfers.withdraw(s, a, side.transfer_out, now=NOW)),
    _S + "transfers.listing": Probe(lambda s, a, side: transfers.listing(s, a), shows=True),
    _S + "admissions.accept": Probe(
        lambda s, a, side: admissions.accept(s, a, side.admission, organisation=side.branch, on=TODAY, now=NOW)
    ),
    _S + "admissions.refuse": Probe(lambda s, a, side: admissions.refuse(s, a, side.admission, now=NOW)),
    _S + "admissions.listing": Probe(lambda s, a, side: admissions.listing(s, a), shows=True),
    _S + "consent.opt_in": Probe(
        lambda s, a, side: consent.opt_in(s, a, number_of(s, side.member), source="form", wording="-", now=NOW)
    ),
    _S + "consent.opt_out": Probe(
        lambda s, a, side: consent.opt_out(s, a, number_of(s, side.member), source="form", wording="-", now=NOW)
    ),
    _S + "consent.record_many": Probe(lambda s, a, side: consent.record_many(s, a, [_said(side, s)], now=NOW)),
    _S + "consent.said_of_many": Probe(
        lambda s, a, side: consent.said_of_many(
            s, a, Wish.IN, source="import", wording="-", import_run_id=None, now=NOW
        ),
        makes=True,
        blind="a line of evidence on which no wish rests yet",
    ),
    _S + "exporting.export_members": Probe(_export, shows=True),
    _S + "importing.importer.import_members": Probe(_import, echoes=True, makes=True),
    _S + "importing.undo.undo": Probe(
        lambda s, a, side: importing.undo(s, a, _last_import(s), now=NOW),
        ready=lambda s, side: _import(s, side.chief, side),
    ),
    "broadcaster.undoing.undo_import": Probe(
        lambda s, a, side: undo_import(s, a, _last_import(s), now=NOW),
        ready=lambda s, side: _import(s, side.chief, side),
    ),
    _S + "forgetting.forget": Probe(
        lambda s, a, side: forgetting.forget(s, a, side.member.id, key=KEY, on=TODAY, now=NOW)
    ),
    "broadcaster.forgetting.forget": Probe(
        lambda s, a, side: everywhere.forget(s, a, side.member.id, key=KEY, on=TODAY, now=NOW)
    ),
}
