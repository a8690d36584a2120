"""`broadsheet transfers`: members on their way from one organisation to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from broadcaster.commands.house import opened, today
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, local, plain, table
from broadcaster.language import listed, tr
from broadcaster.words import TRANSFER_STATES, place_words, states_named, transfer_state_word
from subscribers import transfers
from subscribers.actor import Right
from subscribers.errors import Invalid
from subscribers.models import Transfer, TransferState
from subscribers.transfers import Side

app = noun()

Id = Annotated[int, typer.Argument(max=MOST, metavar="ID", help=tr("The transfer's number."))]


@verb(
    app,
    name="list",
    about=tr("Transfers from your part of the tree and towards it, the newest first."),
    example="broadsheet transfers list --side in --state asked",
    needs=Right.SEE,
)
def list_(
    side: Annotated[Side | None, typer.Option(help=tr("Only those towards you, or away."))] = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help=tr("Only those in this state."))] = None,
    member: Annotated[int | None, typer.Option(max=MOST, metavar="ID", help=tr("Only those of this member."))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=tr("At most so many."))] = 100,
) -> None:
    wanted = _state(state) if state is not None else None
    with opened() as house, house.reading() as tx:
        found = transfers.listing(tx.session, house.actor, side=side, state=wanted, member_id=member, limit=limit)
        zone = house.settings.zone
    headings = (tr("id"), tr("name"), tr("from"), tr("to"), tr("state"), tr("until"))
    rows = [
        (
            one.id,
            one.name,
            place_words(one.from_organisation),
            place_words(one.to_organisation),
            transfer_state_word(one.state),
            local(one.expires_at, zone) if one.state == TransferState.ASKED else "",
        )
        for one in found
    ]
    then = [f"broadsheet transfers accept {one.id}" for one in found if one.ours_to_decide][:1]
    document = {"transfers": [plain(one) for one in found]}
    answer(document, table(*headings, rows=rows) if found else tr("There is none."), then=then)


@verb(
    app,
    about=tr("Agree to what the other side asked: the member is counted in the new organisation from today on."),
    example="broadsheet transfers accept 4",
    needs=Right.REGISTER,
)
def accept(transfer_id: Id) -> None:
    with opened() as house, house.begin() as tx:
        done = transfers.accept(tx.session, house.actor, transfer_id, on=today(house, tx), now=tx.now)
    _tell(done)


@verb(
    app,
    about=tr("Say no to what the other side asked."),
    example="broadsheet transfers refuse 4",
    needs=Right.REGISTER,
)
def refuse(transfer_id: Id) -> None:
    _end(transfer_id, transfers.refuse)


@verb(
    app,
    about=tr("Take back what your side asked."),
    example="broadsheet transfers withdraw 4",
    needs=Right.REGISTER,
)
def withdraw(transfer_id: Id) -> None:
    _end(transfer_id, transfers.withdraw)


def _end(transfer_id: int, act: Callable[..., Transfer]) -> None:
    with opened() as house, house.begin() as tx:
        done = act(tx.session, house.actor, transfer_id, now=tx.now)
    _tell(done)


def _tell(transfer: Transfer) -> None:
    state = transfer_state_word(transfer.state)
    document = {"id": transfer.id, "state": transfer.state, "effective_on": transfer.effective_on}
    answer(document, tr("Transfer {id}: {state}.", id=transfer.id, state=state))


def _state(word: str) -> TransferState:
    named = states_named(word, TRANSFER_STATES)
    if not named:
        words = listed(f"{state} ({transfer_state_word(state)})" for state in TransferState)
        raise Invalid("There is no state {word}.", hint="There are: {words}.", word=word, words=words)
    return TransferState(named[0])
