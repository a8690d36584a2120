"""The text of one variant: made of the items, in sentences or in full, or written by hand."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns import compose
from broadcaster.language import msgid
from broadcaster.newspaper import editions, making, own_words, variant_texts
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.drawing import READ, done, draw, trouble
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.items import audience_words
from broadcaster.newsroom.members import Id
from broadcaster.newsroom.proofs import phones
from broadcaster.newsroom.remarks import beside_text
from broadcaster.runtime import Runtime
from broadcaster.sms import repair
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Conflict, Invalid, NotFound, Outdated

router = APIRouter()

_VARIANT = ONE + "/variants/{name}"


@shows(router, _VARIANT, needs=Right.EDIT)
def text(request: Request, house: House, visit: Here, id: Id, name: str) -> Response:  # noqa: A002
    """The box with the text, beside the phone."""
    return _draw(request, house, visit, id, name)


@takes(router, _VARIANT, needs=Right.EDIT)
def write(request: Request, house: House, visit: Here, form: Form, id: Id, name: str) -> Response:  # noqa: A002
    """A text of one's own."""
    name = _where(house, visit, form, id, name)
    try:
        with house.begin() as tx:
            variant = _named(tx, visit, id, name)
            variant_texts.write(
                tx.session,
                visit.actor,
                id,
                variant,
                form.text("body"),
                composed=_composed(house, tx, visit, id, variant),
                version=_whole(form, "version"),
                now=tx.now,
            )
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, name, error=error, typed=form.text("body"))
    return done(visit, f"{PATH}/{id}/variants/{name}", msgid("Saved."))


@takes(router, _VARIANT + "/look", needs=Right.EDIT)
def look(request: Request, house: House, visit: Here, form: Form, id: Id, name: str) -> Response:  # noqa: A002
    """The phone with what is being typed."""
    name = _where(house, visit, form, id, name)
    with house.reading() as tx:
        variant = _named(tx, visit, id, name)
        try:
            body = own_words.checked(form.text("body")[: 4 * own_words.MAX_BODY])
            drawn = phones(house, tx, visit.actor, id, bodies={variant: body}, only=int(name))
        except Invalid as error:
            return draw(request, "variant_look.html", phones=(), one_only=True, look_trouble=trouble(error)["what"])
    return draw(request, "variant_look.html", phones=drawn, one_only=True, look_trouble="")


@takes(router, _VARIANT + "/anew", needs=Right.EDIT)
def make_anew(request: Request, house: House, visit: Here, form: Form, id: Id, name: str) -> Response:  # noqa: A002
    """Made of the items again."""
    name = _where(house, visit, form, id, name)
    try:
        with house.begin() as tx:
            variant = _named(tx, visit, id, name)
            version = _whole(form, "version")
            earlier = variant_texts.make_anew(tx.session, visit.actor, id, variant, version=version, now=tx.now)
            version = editions.own_texts(tx.session, editions.get(tx.session, visit.actor, id))[variant].version
    except Conflict as error:
        return _draw(request, house, visit, id, name, error=error)
    path = f"{PATH}/{id}/variants/{name}"
    told = msgid("It is made of the items again.")
    fields = {"variant": variant, "earlier": str(earlier), "version": str(version)}
    return done(visit, path, told, undo=f"{path}/back" if earlier else "", undo_fields=fields)


@takes(router, _VARIANT + "/back", needs=Right.EDIT)
def take_back(request: Request, house: House, visit: Here, form: Form, id: Id, name: str) -> Response:  # noqa: A002
    """An earlier text again."""
    name = _where(house, visit, form, id, name)
    try:
        with house.begin() as tx:
            variant = _named(tx, visit, id, name)
            earlier, version = _whole(form, "earlier"), _whole(form, "version")
            variant_texts.take_back(tx.session, visit.actor, id, variant, earlier, version=version, now=tx.now)
    except Conflict as error:
        return _draw(request, house, visit, id, name, error=error)
    return done(visit, f"{PATH}/{id}/variants/{name}", msgid("It is the text of this variant again."))


@takes(router, _VARIANT + "/repair", needs=Right.EDIT)
def mend(request: Request, house: House, visit: Here, form: Form, id: Id, name: str) -> Response:  # noqa: A002
    """Look-alike characters of its text become plain ones."""
    name = _where(house, visit, form, id, name)
    try:
        with house.begin() as tx:
            variant = _named(tx, visit, id, name)
            kept = editions.own_texts(tx.session, editions.get(tx.session, visit.actor, id)).get(variant)
            body, composed = (kept.body, kept.composed) if kept and kept.body is not None else ("", "")
            version, mended = _whole(form, "version"), repair(body)
            if not body or mended != body:
                variant_texts.write(
                    tx.session, visit.actor, id, variant, mended, composed=composed, version=version, now=tx.now
                )
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, name, error=error)
    return done(visit, f"{PATH}/{id}/check", msgid("Repaired: {headline}."), headline=audience_words([variant]))


@takes(router, _VARIANT + "/form", needs=Right.EDIT)
def choose_form(request: Request, house: House, visit: Here, form: Form, id: Id, name: str) -> Response:  # noqa: A002
    """In sentences, or in full; with the address of the reading page, or without."""
    name = _where(house, visit, form, id, name)
    wish: dict[str, Any] = {"in_full": form.text("in_full") == "1", "with_link": form.text("with_link") == "1"}
    try:
        with house.begin() as tx:
            variant, pages = _named(tx, visit, id, name), house.settings.web.pages
            wish |= {"pages": pages, "read": form.text(READ), "now": tx.now}
            variant_texts.set_form(tx.session, visit.actor, id, variant, **wish)
    except (Invalid, Outdated) as error:
        return _draw(
            request, house, visit, id, name, error=error, field="theirs" if isinstance(error, Outdated) else "with_link"
        )
    return done(visit, f"{PATH}/{id}/variants/{name}", msgid("Saved."))


def _whole(form: Posted, name: str) -> int:
    """A number that our page has put there; 0 for anything else."""
    text = form.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _where(house: House, visit: Visit, form: Posted, number: int, at: str) -> str:
    """Where the variant stands that the page showed: the order may be another one since."""
    meant = form.text("variant")
    if not meant:
        return at
    with house.reading() as tx:
        names = making.layout(tx.session, visit.actor, number).variants
    if meant not in names:
        raise NotFound(
            "Edition {number} has no variant {name}.", hint="Load it again.", number=number, name=meant[:100]
        )
    return str(names.index(meant))


def _named(tx: Tx, visit: Visit, number: int, at: str) -> str:
    """The variant at a place, counted from 0."""
    laid = making.layout(tx.session, visit.actor, number)
    if not (at.isascii() and at.isdigit() and len(at) < 4 and int(at) < len(laid.variants)):
        raise NotFound("Edition {number} has no variant {name}.", hint="Load it again.", number=number, name=at[:20])
    if not laid.is_own:
        raise NotFound(
            "There is no edition {number} of yours.", hint="It is changed at the place above.", number=number
        )
    return laid.variants[int(at)]


def _composed(house: Runtime, tx: Tx, visit: Visit, number: int, variant: str) -> str:
    paper = house.settings.paper
    return compose.composed(tx.session, visit.actor, number, variant, paper=paper.name, language=paper.language)


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    number: int,
    at: str,
    *,
    error: BroadsheetError | None = None,
    typed: str | None = None,
    field: str = "body",
) -> Response:
    with house.reading() as tx:
        variant = _named(tx, visit, number, at)
        edition = editions.get(tx.session, visit.actor, number)
        kept = editions.own_texts(tx.session, edition).get(variant)
        composed = _composed(house, tx, visit, number, variant)
        earlier = variant_texts.earlier(tx.session, visit.actor, number, variant)
        drawn, wrong = [], error
        try:
            drawn = phones(house, tx, visit.actor, number, only=int(at))
        except Invalid as gone:
            wrong = error or gone
        now = tx.now
    own = kept.body if kept else None
    return draw(
        request,
        "variant.html",
        status=422 if error else 200,
        trouble=trouble(wrong, field, is_typed=wrong is error) if wrong else None,
        edition=edition,
        at=at,
        variant=variant,
        name=drawn[0]["name"] if drawn else audience_words([variant]),
        body=typed if typed is not None else own or composed,
        theirs=own if isinstance(error, Outdated) and typed is not None else "",
        remarks=beside_text(typed if typed is not None else own or ""),
        is_own=own is not None,
        is_behind=own is not None and kept is not None and kept.composed != composed,
        composed=composed,
        form_mark=variant_texts.form_mark(kept),
        version=kept.version if kept else 0,
        in_full=bool(kept and kept.in_full),
        with_link=bool(kept and kept.with_link),
        address=f"{house.settings.web.pages}{number}" if house.settings.web.pages else "",
        saved=when(kept.changed_at, now, house.settings.zone) if kept and own is not None else "",
        by=actor_word(kept.changed_by) if kept else "",
        earlier=[(each, when(each.written_at, now, house.settings.zone)) for each in earlier],
        phones=drawn,
        one_only=True,
        look_trouble="",
    )
