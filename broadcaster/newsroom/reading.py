"""The reading page of an edition: published, published anew, taken down."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid
from broadcaster.newspaper import publishing
from broadcaster.newspaper.publishing import ForNobody
from broadcaster.newsroom.checks import draw_check
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.drawing import READ, done
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.items import audience_words
from broadcaster.newsroom.members import Id
from broadcaster.web.doors import Form, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from subscribers.actor import Right
from subscribers.errors import Conflict, Invalid
from subscribers.seen import stamped

router = APIRouter()


@takes(router, ONE + "/publish", needs=Right.EDIT)
def publish(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """As the edition is now; for whoever has the address, or for the members of a segment or rule."""
    try:
        with house.begin() as tx:
            before = publishing.published_at(tx.session, visit.actor, id)
            readers, read = form.text("readers"), form.text(READ)
            made = publishing.publish(tx.session, visit.actor, id, now=tx.now, readers=readers, read=read)
    except ForNobody as error:
        error.fields["audience"] = audience_words([str(error.fields["audience"])])
        leads_to = f"/items/{error.item_id}"
        return draw_check(request, house, visit, id, error=error, readers=form.text("readers"), leads_to=leads_to)
    except (Invalid, Conflict) as error:
        return draw_check(request, house, visit, id, error=error, readers=form.text("readers"))
    undo = "" if before else f"{PATH}/{id}/take-down"
    told = msgid("The reading page is there. Items on it: {items}.")
    if made.others:
        told = msgid("The reading page is there. Items on it: {items}, of which for some members only: {others}.")
    return done(visit, f"{PATH}/{id}/check", told, items=made.common + made.others, others=made.others, undo=undo)


@takes(router, ONE + "/take-down", needs=Right.EDIT)
def take_down(house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """Nobody finds it any more."""
    with house.begin() as tx:
        readers = publishing.readers_of(tx.session, visit.actor, id)
        publishing.take_down(tx.session, visit.actor, id, now=tx.now)
        read = stamped(publishing.mark_of("", is_published=False), tx.now)
    told, back = msgid("The reading page is gone."), {"readers": readers, READ: read}
    return done(visit, f"{PATH}/{id}/check", told, undo=f"{PATH}/{id}/publish", undo_fields=back)
