"""`broadsheet replies`: what members wrote."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broadcaster.commands.house import is_served, opened
from broadcaster.commands.options import MOST, asked, noun, verb
from broadcaster.commands.output import answer, local, plain, table
from broadcaster.commands.steering import told_again, told_as_sent
from broadcaster.language import listed, tr
from broadcaster.replies import doubts as in_doubt
from broadcaster.replies import inbox
from broadcaster.replies.models import Letter, LetterState
from broadcaster.words import LETTER_STATES, letter_state_word, states_named
from subscribers import audit
from subscribers.actor import Right
from subscribers.errors import Invalid
from subscribers.msisdn import mask

app = noun()

Id = Annotated[int, typer.Argument(max=MOST, metavar="ID", help=tr("The letter's number."))]


@verb(
    app,
    name="list",
    about=tr("The newest letters; those in the state `open` wait for a person."),
    example="broadsheet replies list --state open",
    needs=Right.SEE,
)
def list_(
    state: Annotated[str | None, typer.Option(metavar="STATE", help=tr("Only those in this state."))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=tr("At most so many; a table has 50."))] = None,
    full_numbers: Annotated[bool, typer.Option("--full-numbers", help=tr("Do not mask numbers."))] = False,
) -> None:
    wanted = _state(state) if state is not None else None
    with opened() as house, house.showing(full_numbers=full_numbers) as tx:
        most = limit or (1_000_000 if asked().json else 50)
        found = inbox.listing(tx.session, house.actor, state=wanted, limit=most)
        letters = [_document(letter, name, full_numbers=full_numbers) for letter, name in found]
        if full_numbers:
            audit.seen_in_full(tx.session, house.actor, "replies.list", people=len(letters), now=tx.now)
        zone = house.settings.zone
    headings = (tr("id"), tr("received"), tr("from"), tr("text"), tr("state"))
    rows = [
        (
            one["id"],
            local(one["received_at"], zone),
            one["name"] or one["msisdn"],
            one["text"],
            letter_state_word(one["state"]),
        )
        for one in letters
    ]
    then = [f"broadsheet replies answer {letters[0]['id']} ..."] if letters else []
    answer({"replies": letters}, table(*headings, rows=rows) if letters else tr("There is none."), then=then)


@verb(
    app,
    name="answer",
    about=tr("Write back, ahead of every broadcast."),
    example="broadsheet replies answer 17 谢谢您的建议。",
    needs=Right.EDIT,
)
def answer_(letter_id: Id, text: Annotated[str, typer.Argument(metavar="TEXT", help=tr("What they read."))]) -> None:
    with opened() as house, house.begin() as tx:
        letter = inbox.reply(tx.session, house.actor, house.desk(tx), letter_id, text, now=tx.now)
        state = letter.state
        # whoever serves has the lock of the press, and would take the answer at once
        nobody_sends = house.settings.embedded and not is_served(house)
    told = tr("The answer to letter {id} is queued, ahead of every broadcast.", id=letter_id)
    waits = tr("Nobody sends for this installation now: it goes out as soon as somebody does.")
    document = {"id": letter_id, "state": state}
    answer(document, told, waits if nobody_sends else None, then=["broadsheet up"] if nobody_sends else [])


@verb(app, about=tr("Nothing more to do about this letter."), example="broadsheet replies close 17", needs=Right.EDIT)
def close(letter_id: Id) -> None:
    with opened() as house, house.begin() as tx:
        letter = inbox.close(tx.session, house.actor, letter_id)
        state = letter.state
    answer({"id": letter_id, "state": state}, tr("Letter {id} is closed.", id=letter_id))


@verb(
    app,
    about=tr("Answers where nobody knows whether they arrived; those of campaigns are with their campaign."),
    example="broadsheet replies doubts",
    needs=Right.SEE,
)
def doubts(
    limit: Annotated[int | None, typer.Option(min=1, help=tr("At most so many; a table has 50."))] = None,
    full_numbers: Annotated[bool, typer.Option("--full-numbers", help=tr("Do not mask numbers."))] = False,
) -> None:
    with opened() as house, house.showing(full_numbers=full_numbers) as tx:
        most = limit or (None if asked().json else 50)
        found = in_doubt.listing(tx.session, house.actor, limit=most)
        if full_numbers:
            audit.seen_in_full(tx.session, house.actor, "replies.doubts", people=len(found), now=tx.now)
        zone = house.settings.zone
    shown = [plain(one) | {"msisdn": one.msisdn if full_numbers else mask(one.msisdn)} for one in found]
    headings = (tr("id"), tr("since"), tr("gateway"), tr("to"), tr("text"))
    rows = [
        (one["message_id"], local(one["since"], zone), one["gateway"], one["name"] or one["msisdn"], one["text"])
        for one in shown
    ]
    # what is cut off is not to be settled unseen
    whole = most is None or len(found) < most
    then = [f"broadsheet replies settle --as-sent --confirm {len(found)}"] if found and whole else []
    answer({"doubts": shown}, table(*headings, rows=rows) if shown else tr("There is none."), then=then)


@verb(
    app,
    about=tr("Decide what to do about answers where nobody knows whether they arrived."),
    example="broadsheet replies settle --as-sent --confirm 4\nbroadsheet replies settle 812 --resend --confirm 1",
    needs=Right.SEND,
)
def settle(
    confirm: Annotated[int, typer.Option(metavar="N", help=tr("How many people it concerns, typed by you."))],
    ids: Annotated[
        list[int] | None,
        typer.Argument(max=MOST, metavar="ID", help=tr("Only these; without one, all that `doubts` shows.")),
    ] = None,
    as_sent: Annotated[bool, typer.Option("--as-sent", help=tr("Count it as sent; nothing goes out."))] = False,
    resend: Annotated[bool, typer.Option("--resend", help=tr("Send it again; some may get it twice."))] = False,
) -> None:
    if as_sent == resend:
        raise Invalid("Say how to settle it.", hint="Write either --as-sent or --resend.")
    with opened() as house, house.begin() as tx:
        given = (tx.session, house.actor, confirm)
        if as_sent:
            count = in_doubt.settle_as_sent(*given, only=ids or (), now=tx.now)
        else:
            count = in_doubt.settle_by_resending(*given, only=ids or (), gateways=house.gateways, now=tx.now)
    answer({"settled": count}, told_as_sent(count) if as_sent else told_again(count))


def _state(word: str) -> str:
    """A state by its own name or by the word that the table shows."""
    named = states_named(word, LETTER_STATES)
    if not named:
        words = listed(f"{state} ({letter_state_word(state)})" for state in LetterState)
        raise Invalid("There is no state {word}.", hint="There are: {words}.", word=word, words=words)
    return named[0]


def _document(letter: Letter, name: str | None, *, full_numbers: bool) -> dict[str, Any]:
    return {
        "id": letter.id,
        "received_at": letter.received_at,
        "msisdn": letter.msisdn if full_numbers else mask(letter.msisdn),
        "name": name,
        "text": letter.text,
        "state": letter.state,
        "handled_as": letter.handled_as,
        "campaign": letter.campaign_id,
        "gateway": letter.gateway,
    }
