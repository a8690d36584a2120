"""Wishes: from files and to them, taken back, looked up, said on somebody's behalf, of the paper and of its columns."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers import column_wishes, consent_files
from subscribers.actor import Actor
from subscribers.column_wishes import SaidOfColumn
from subscribers.consent import Said
from subscribers.models import ImportRun, Wish
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import KEY, TODAY, Side, number_of


def _import(session: Session, actor: Actor, side: Side) -> object:
    file = side.folder / "wishes.csv"
    file.write_text(number_of(session, side.member) + "\n", encoding="utf-8")
    return consent_files.import_consent(session, actor, file, key=KEY, now=NOW, zone=ZoneInfo("Asia/Shanghai"))


def _last_import(session: Session) -> int:
    return session.scalars(select(func.max(ImportRun.id))).one() or 0


def _export(session: Session, actor: Actor, side: Side) -> str:
    file = side.folder / "wishes-out.csv"
    consent_files.export_consent(session, actor, file, now=NOW, on=TODAY)
    return file.read_text("utf-8-sig").replace(number_of(session, side.member).removeprefix("+86"), side.mark)


def _history(session: Session, actor: Actor, side: Side) -> object:
    return side.mark, consent_files.history(session, actor, number_of(session, side.member))


def _column(session: Session, actor: Actor, side: Side) -> object:
    said = SaidOfColumn("健康", Said(number_of(session, side.member), Wish.OUT, "form", "-"))
    return column_wishes.record_columns(session, actor, [said], now=NOW)


def _say(session: Session, actor: Actor, side: Side) -> object:
    number = number_of(session, side.member)
    return consent_files.say(session, actor, number, Wish.OUT, wording="-", key=KEY, now=NOW)


def _say_for_member(session: Session, actor: Actor, side: Side) -> object:
    ending, member = number_of(session, side.member)[-4:], side.member.id
    return consent_files.say_for_member(session, actor, member, ending, Wish.OUT, wording="-", key=KEY, now=NOW)


_S = "subscribers.consent_files."
PROBES = {
    _S + "taking_in.import_consent": Probe(_import, makes=True, echoes=True),
    _S + "handing_out.export_consent": Probe(_export, shows=True),
    _S + "undoing.undo_consent": Probe(
        lambda s, a, side: consent_files.undo_consent(s, a, _last_import(s), now=NOW),
        ready=lambda s, side: _import(s, side.chief, side),
    ),
    _S + "speaking.history": Probe(_history, shows=True),
    _S + "speaking.say": Probe(_say),
    _S + "speaking.say_for_member": Probe(_say_for_member),
    "subscribers.column_wishes.record_columns": Probe(_column),
}
