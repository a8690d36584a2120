"""`broadsheet admissions`: people who asked to join by SMS."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broadcaster.commands.house import opened, today
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, local, table
from broadcaster.language import listed, tr
from broadcaster.words import ADMISSION_STATES, admission_state_word, states_named
from subscribers import admissions
from subscribers.actor import Right
from subscribers.errors import Invalid
from subscribers.models import Admission, AdmissionState
from subscribers.msisdn import mask

app = noun()

Id = Annotated[int, typer.Argument(max=MOST, metavar="ID", help=tr("The admission's number."))]


@verb(
    app,
    name="list",
    about=tr("Who asked to join by SMS, the newest first; known names were let in at once, the others wait."),
    example="broadsheet admissions list --state waiting",
    needs=Right.SEE,
)
def list_(
    state: Annotated[str | None, typer.Option(metavar="STATE", help=tr("Only those in this state."))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=tr("At most so many."))] = 100,
) -> None:
    wanted = _state(state) if state is not None else None
    with opened() as house, house.reading() as tx:
        found = [_document(one) for one in admissions.listing(tx.session, house.actor, state=wanted, limit=limit)]
        zone = house.settings.zone
    headings = (tr("id"), tr("asked"), tr("name"), tr("number"), tr("text"), tr("state"))
    rows = [
        (
            one["id"],
            local(one["asked_at"], zone),
            one["name"],
            one["msisdn"],
            one["wording"],
            admission_state_word(one["state"]),
        )
        for one in found
    ]
    waiting = [one["id"] for one in found if one["state"] == AdmissionState.WAITING][:1]
    then = [f"broadsheet admissions accept {waiting[0]} --organisation PATH"] if waiting else []
    answer({"admissions": found}, table(*headings, rows=rows) if found else tr("There is none."), then=then)


@verb(
    app,
    about=tr("Let somebody in: as a new member of an organisation, or as the member they are."),
    example='broadsheet admissions accept 3 --organisation "East City/First Branch"\n'
    "broadsheet admissions accept 3 --member 12",
    needs=Right.APPROVE,
)
def accept(
    admission_id: Id,
    organisation: Annotated[str, typer.Option(metavar="PATH", help=tr("Names with / between."))] = "",
    member: Annotated[int | None, typer.Option(max=MOST, metavar="ID", help=tr("The member they are."))] = None,
) -> None:
    with opened() as house, house.begin() as tx:
        on = today(house, tx)
        done = admissions.accept(
            tx.session, house.actor, admission_id, organisation=organisation, member_id=member, on=on, now=tx.now
        )
    told = tr("They are on the list as member {id}.", id=done.member_id)
    out = tr("They have refused the paper since they asked, and get none.")
    document = {"id": admission_id, "state": AdmissionState.ACCEPTED, "member": done.member_id}
    answer(document | {"still_out": done.still_out}, told, out if done.still_out else None)


@verb(app, about=tr("They are not let in."), example="broadsheet admissions refuse 3", needs=Right.APPROVE)
def refuse(admission_id: Id) -> None:
    with opened() as house, house.begin() as tx:
        state = admissions.refuse(tx.session, house.actor, admission_id, now=tx.now).state
    told = tr("Admission {id}: {state}.", id=admission_id, state=admission_state_word(state))
    answer({"id": admission_id, "state": state}, told)


def _document(admission: Admission) -> dict[str, Any]:
    return {
        "id": admission.id,
        "name": admission.name,
        "msisdn": mask(admission.msisdn),
        "wording": admission.wording,
        "state": admission.state,
        "member": admission.member_id,
        "asked_at": admission.asked_at,
        "decided_by": admission.decided_by,
        "decided_at": admission.decided_at,
    }


def _state(word: str) -> AdmissionState:
    named = states_named(word, ADMISSION_STATES)
    if not named:
        words = listed(f"{state} ({admission_state_word(state)})" for state in AdmissionState)
        raise Invalid("There is no state {word}.", hint="There are: {words}.", word=word, words=words)
    return AdmissionState(named[0])
