"""One person put on the list by hand."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid
from broadcaster.newsroom.acting import attempt, read_day
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.member import read_status, standing_choices
from broadcaster.newsroom.members import today
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from broadcaster.words import place_words
from subscribers import members, organisations
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError
from subscribers.members import NewMember
from subscribers.models import Status

router = APIRouter()

PATH = "/members/new"
#: which field an error is about, by what it names; any other is about the name
_WRONG = {"number": "number", "path": "organisation"}
_FIELDS = ("name", "number", "organisation", "birthday", "tags", "external_id", "joined_on", "agreed", "status")


@shows(router, PATH, needs=Right.REGISTER)
def form_for_one(request: Request, house: House, visit: Here, under: str = "") -> Response:
    """An empty form; `under`: a path of names where they belong."""
    with house.reading() as tx:
        home = under or organisations.home_of(tx.session, visit.actor)
    typed = {**dict.fromkeys(_FIELDS, ""), "organisation": place_words(home), "status": Status.IN_SERVICE.value}
    return draw(request, "new_member.html", typed=typed, standings=standing_choices(), is_shared=False)


@takes(router, PATH, needs=Right.REGISTER)
def add(request: Request, house: House, visit: Here, form: Form) -> Response:
    """One more member."""

    def work(tx: Tx) -> Response:
        made = members.register(
            tx.session,
            visit.actor,
            _read(form),
            key=house.secret,
            shared=bool(form.text("shared")),
            region=house.settings.paper.region,
            on=today(house, tx),
            now=tx.now,
        )
        told = msgid("{name} is on the list.")
        if made.still_out:
            told = msgid("{name} is on the list. The holder of the number wants no paper, and stays out.")
        return done(visit, f"/members/{made.id}", told, name=form.text("name").strip()[:100])

    return attempt(house, work, lambda error: _again(request, form, error))


def _read(form: Posted) -> NewMember:
    number = form.text("number").strip()
    return NewMember(
        name=form.text("name"),
        organisation=form.text("organisation"),
        status=read_status(form),
        numbers=[number] if number else [],
        birthday=read_day(form.text("birthday"), "birthday"),
        tags=form.text("tags").replace("，", ",").replace("、", ",").split(","),
        external_id=form.text("external_id"),
        joined_on=read_day(form.text("joined_on"), "joined_on"),
        agreed=form.text("agreed"),
    )


def _again(request: Request, form: Posted, error: BroadsheetError) -> Response:
    field = next((field for about, field in _WRONG.items() if about in error.fields), "name")
    return draw(
        request,
        "new_member.html",
        status=422,
        trouble=trouble(error, str(error.fields.get("typed_in", field))),
        typed={name: form.text(name) for name in _FIELDS},
        standings=standing_choices(),
        is_shared=bool(form.text("shared")),
    )
