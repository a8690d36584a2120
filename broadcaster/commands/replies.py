"""`broadsheet replies`: what members wrote."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broadcaster.commands.house import is_served, opened
from broadcaster.commands.options import MOST, asked, noun, verb
from broadcaster.commands.output import answer, local, table
from broadcaster.language import tr
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


def _state(word: str) -> str:
    """A state by its own name or by the word that the table shows."""
    named = states_named(word, LETTER_STATES)
    if not named:
        words = ", ".join(f"{state} ({letter_state_word(state)})" for state in LetterState)
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
