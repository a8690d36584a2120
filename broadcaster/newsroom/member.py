"""One member: looked at, corrected, given another standing or place, numbers, and a word on what they want."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid
from broadcaster.newsroom.acting import attempt, read_day
from broadcaster.newsroom.drawing import READ, done, draw, trouble
from broadcaster.newsroom.member_page import told_record
from broadcaster.newsroom.members import Id, today
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import place_words, status_word
from subscribers import consent_files, member_marks, members, membership, numbers, records, transfers
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.models import Status, TransferState, Wish
from subscribers.seen import stamped

router = APIRouter()


def standing_choices() -> list[tuple[str, str]]:
    """What somebody may be, for a form."""
    return [(each.value, status_word(each)) for each in Status]


@shows(router, "/members/{id}", needs=Right.SEE)
def member(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """One member, with numbers masked."""
    return _draw(request, house, visit, id)


@takes(router, "/members/{id}", needs=Right.NUMBERS)
def member_in_full(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """The same with numbers in full; that they were seen is written down."""
    with house.begin() as tx:
        return _drawn(request, house, tx, visit, id, is_full=True)


@takes(router, "/members/{id}/data", needs=Right.REGISTER)
def correct(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Their own data."""

    def work(tx: Tx) -> Response:
        before = _record(house, tx, visit, id)
        birthday = read_day(form.text("birthday"))
        after = members.update(
            tx.session,
            visit.actor,
            id,
            name=form.text("name"),
            birthday=birthday,
            no_birthday=birthday is None,
            tags=form.text("tags").replace("，", ",").replace("、", ",").split(","),
            external_id=form.text("external_id"),
            fields=dict(zip(form.texts("heading"), form.texts("value"), strict=False)),
            read=form.text(READ),
            on=today(house, tx),
            now=tx.now,
        )
        back = {
            "name": before.name,
            "birthday": f"{before.birthday or ''}",
            "tags": ",".join(before.tags),
            "external_id": before.external_id or "",
            READ: stamped(member_marks.of_data(after, ()), tx.now),
        }
        # with columns of their own it would be more than a cookie holds
        undo = "" if form.texts("heading") else f"/members/{id}/data"
        return done(visit, f"/members/{id}", msgid("Changed: {name}."), name=after.name, undo=undo, undo_fields=back)

    return attempt(house, work, _again(request, house, visit, id))


@takes(router, "/members/{id}/standing", needs=Right.REGISTER)
def stand(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Another status from a day on."""

    def work(tx: Tx) -> Response:
        is_away = bool(form.text("away"))
        membership.update_status(
            tx.session,
            visit.actor,
            id,
            status=read_status(form),
            mobile=is_away,
            away_place=form.text("away_place") if is_away else None,
            host_branch=form.text("host_branch") if is_away else None,
            read=form.text(READ),
            on=read_day(form.text("on")) or today(house, tx),
            now=tx.now,
        )
        return _done(visit, id, msgid("Their status is changed."), tx)

    return attempt(house, work, _again(request, house, visit, id))


@takes(router, "/members/{id}/leave", needs=Right.REGISTER)
def leave(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """They are a member no more from a day on, or again."""

    def work(tx: Tx) -> Response:
        on, read = read_day(form.text("on")) or today(house, tx), form.text(READ)
        if form.text("rejoin"):
            membership.rejoin(tx.session, visit.actor, id, read=read, on=on, now=tx.now)
            return _done(visit, id, msgid("They are a member again."), tx)
        membership.leave(tx.session, visit.actor, id, read=read, on=on, now=tx.now)
        return _done(visit, id, msgid("They are a member until then."), tx)

    return attempt(house, work, _again(request, house, visit, id))


@takes(router, "/members/{id}/take-back", needs=Right.REGISTER)
def take_back(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """The last change of standing, the leaving or the return never was."""

    def work(tx: Tx) -> Response:
        membership.take_back(tx.session, visit.actor, id, read=form.text(READ), now=tx.now)
        return _done(visit, id, msgid("It is as before."))

    return attempt(house, work, _again(request, house, visit, id))


@takes(router, "/members/{id}/transfer", needs=Right.REGISTER)
def transfer(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """To another organisation: at once where both are one's own, and otherwise when the other side accepts."""

    def work(tx: Tx) -> Response:
        before, on = _record(house, tx, visit, id), today(house, tx)
        to, reason, read = form.text("to"), form.text("reason"), form.text(READ)
        asked = transfers.ask(tx.session, visit.actor, id, to, reason=reason, read=read, on=on, now=tx.now)
        asks = transfers.listing(tx.session, visit.actor, member_id=id, state=TransferState.ASKED, limit=1)
        if not all(one.ours_to_decide for one in asks):
            told = msgid("It is asked for. Until the other side accepts, everything stays as it is.")
            back = {"transfer": str(asked.id), "answer": "withdraw"}
            return done(visit, f"/members/{id}", told, undo="/members/transfers", undo_fields=back)
        transfers.accept(tx.session, visit.actor, asked.id, on=on, now=tx.now)
        there = {"to": before.organisation, READ: _opened(tx, visit, id)}
        told = msgid("They belong to {place} now.")
        return done(
            visit, f"/members/{id}", told, place=place_words(to), undo=f"/members/{id}/transfer", undo_fields=there
        )

    return attempt(house, work, _again(request, house, visit, id))


@takes(router, "/members/{id}/numbers", needs=Right.REGISTER)
def change_numbers(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """One more number; or one of theirs is used, removed, or found out about."""

    def work(tx: Tx) -> Response:
        act, number, read = form.text("act"), form.text("number"), form.text(READ)
        its = (tx.session, visit.actor, id, number)
        match act:
            case "add":
                region, shared = house.settings.paper.region, bool(form.text("shared"))
                numbers.add_number(*its, region=region, shared=shared, now=tx.now)
                told = msgid("The number is added.")
            case "prefer":
                numbers.prefer_number(*its, read=read, now=tx.now)
                told = msgid("This number is used from now on.")
            case "remove":
                numbers.remove_number(*its, read=read, now=tx.now)
                told = msgid("The number is removed. What its holder wants stays on record.")
            case "verified":
                numbers.verify(*its, ok=True, now=tx.now)
                told = msgid("The number is used again.")
            case _:
                raise Invalid("There is nothing to do with a number that is called {act}.", act=repr(act[:20]))
        return _done(visit, id, told)

    return attempt(house, work, _again(request, house, visit, id))


@takes(router, "/members/{id}/consent", needs=Right.REGISTER)
def say(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """What they want, as somebody told us, and how that is known."""

    def work(tx: Tx) -> Response:
        if not form.text("wording").strip():
            raise Invalid("There is no evidence.", hint="Write how they told you.")
        consent_files.say_for_member(
            tx.session,
            visit.actor,
            id,
            form.text("number"),
            Wish.IN if form.text("wish") == "in" else Wish.OUT,
            wording=form.text("wording"),
            key=house.secret,
            region=house.settings.paper.region,
            now=tx.now,
        )
        return _done(visit, id, msgid("It is written down what they want, and how you know."))

    return attempt(house, work, _again(request, house, visit, id))


def read_status(form: Posted) -> Status:
    """What somebody is, as a form of ours carries it. Raises `Invalid`."""
    try:
        return Status(form.text("status"))
    except ValueError:
        raise Invalid("There is no status {status}.", status=repr(form.text("status")[:20])) from None


def _done(visit: Visit, id_: int, told: str, tx: Tx | None = None) -> Response:
    """What was done; with the transaction in which it was, it can be taken back."""
    path = f"/members/{id_}"
    if tx is None:
        return done(visit, path, told)
    return done(visit, path, told, undo=f"{path}/take-back", undo_fields={READ: _opened(tx, visit, id_)})


def _opened(tx: Tx, visit: Visit, id_: int) -> str:
    """What a form about their standing carries that is opened now."""
    return stamped(records.marks(tx.session, visit.actor, id_).places, tx.now)


def _again(request: Request, house: Runtime, visit: Visit, id_: int) -> Callable[[BroadsheetError], Response]:
    # whoever is not theirs is not there: drawing the page says so
    return lambda error: _draw(request, house, visit, id_, error)


def _record(house: Runtime, tx: Tx, visit: Visit, id_: int, *, is_full: bool = False) -> records.Record:
    zone, on = house.settings.zone, today(house, tx)
    return records.show(tx.session, visit.actor, id_, full_numbers=is_full, zone=zone, on=on, now=tx.now)


def _draw(request: Request, house: Runtime, visit: Visit, id_: int, error: BroadsheetError | None = None) -> Response:
    with house.reading() as tx:
        return _drawn(request, house, tx, visit, id_, error)


def _drawn(
    request: Request,
    house: Runtime,
    tx: Tx,
    visit: Visit,
    id_: int,
    error: BroadsheetError | None = None,
    *,
    is_full: bool = False,
) -> Response:
    # before the rest: who saves something between the two is rather told too often than not
    marks = records.marks(tx.session, visit.actor, id_) if Right.REGISTER in visit.actor.rights else None
    record, day = _record(house, tx, visit, id_, is_full=is_full), today(house, tx)
    return draw(
        request,
        "member.html",
        status=422 if error else 200,
        trouble=trouble(error) if error else None,
        member=told_record(record, day),
        marks=marks,
        standings=standing_choices(),
        day=day,
        is_full=is_full,
    )
