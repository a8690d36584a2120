"""The paper's own words: its name, its signature, how to refuse more; what is set here, and what is set elsewhere."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns import profile_changes
from broadcaster.campaigns.profiles import dress_at, is_bracketed, signed_otherwise, standing
from broadcaster.language import msgid
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.editions import day_of
from broadcaster.newsroom.members import today
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import on_day
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid

router = APIRouter()

PATH = "/settings/paper"
#: what is written in the configuration, in its order
_KEYS = ("name", "opt_out", "language", "time_zone", "quiet_hours")
#: a name that is longer is no signature: the gateways that hold it to a length take fewer characters
_SHORT = 12


@shows(router, PATH, needs=Right.EDIT)
def paper(request: Request, house: House) -> Response:
    """What is set, and where it is changed."""
    return _draw(request, house)


@takes(router, PATH, needs=Right.OPERATE)
def set_signature(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another signature from a day on, at the gateways that were ticked."""
    signature, chosen = " ".join(form.text("signature").split()), form.texts("gateway")
    try:
        if not signature:
            raise Invalid("The signature is missing.", hint="Write it with its brackets: 【晨晖】.")
        if not chosen or not set(chosen) <= house.gateways.keys():
            raise Invalid("No gateway was chosen.", hint="Tick those that shall have this signature.")
        day = day_of(form)
        with house.begin() as tx:
            given = {"signature": signature}
            made = [profile_changes.write(tx.session, visit.actor, each, given, day, now=tx.now) for each in chosen]
    except BroadsheetError as error:
        return _draw(request, house, error=error, form=form)
    told = msgid("{signature} is the signature from {day} on.")
    if not is_bracketed(signature):
        told = msgid("{signature} is the signature from {day} on. Carriers in China send only what is signed in 【】.")
    undo = {f"change_{each.id}": each.gateway for each in made}
    return done(visit, PATH, told, signature=signature, day=on_day(day), undo=f"{PATH}/undo", undo_fields=undo)


@takes(router, PATH + "/undo", needs=Right.OPERATE)
def take_back(house: House, visit: Here, form: Form) -> Response:
    """These changes, as if they had not been made."""
    with house.begin() as tx:
        for name, gateway in form.pairs():
            _, _, change = name.partition("change_")
            if change.isascii() and change.isdigit() and len(change) < 16:
                profile_changes.undo(tx.session, visit.actor, gateway, change_id=int(change), now=tx.now)
    return done(visit, PATH, msgid("The signature is as it was."))


def signatures(house: Runtime, tx: Tx) -> list[dict[str, Any]]:
    """What each gateway is signed with today, and what is to come."""
    changes, day = profile_changes.by_gateway(tx.session), today(house, tx)
    profiles = house.profiles(tx.session, tx.now)
    lines = []
    for name in house.gateways:
        mine = standing(changes.get(name, ()))
        worn = dress_at(house.dress, profiles[name])
        later = [each for each in mine if each.day > day and "signature" in each.values]
        coming = [(each.day, each.values["signature"]) for each in later]
        is_left = bool(signed_otherwise(name, profiles, house.dress.signature))
        line = {"name": name, "signature": worn.signature, "opt_out": worn.opt_out, "is_left": is_left}
        lines.append(line | {"coming": coming})
    return lines


def _draw(
    request: Request, house: Runtime, *, error: BroadsheetError | None = None, form: Posted | None = None
) -> Response:
    told = house.settings.paper
    with house.reading() as tx:
        lines, day = signatures(house, tx), today(house, tx)
    values = {key: str(getattr(told, key)) for key in _KEYS}
    written = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value]
    return draw(
        request,
        "paper.html",
        status=422 if error else 200,
        trouble=trouble(error, "signature") if error else None,
        told=told,
        gateways=lines,
        lines="\n".join(["[paper]", *written]),
        signature=form.text("signature") if form else next((each["signature"] for each in lines), ""),
        suggested=f"【{told.name}】" if told.is_named and len(told.name) <= _SHORT else "",
        chosen=form.texts("gateway") if form else [each["name"] for each in lines],
        day=form.text("day") if form else day,
    )
