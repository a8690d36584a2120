"""One item: written, saved over nobody else's words, handed in, accepted, sent back, shared, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from broadcaster.language import msgid, tr
from broadcaster.newspaper import drafts, items, pictures
from broadcaster.newspaper.corrections import corrections_of
from broadcaster.newspaper.item_words import Unaddressed, Undescribed, Unfit, Unmeant, Words, checked
from broadcaster.newspaper.items import MOVES, Move
from broadcaster.newspaper.models import Item, ItemDraft, ItemState
from broadcaster.newsroom.clauses import Clause
from broadcaster.newsroom.drawing import done, draw
from broadcaster.newsroom.handed_in import CHOSEN, take_in
from broadcaster.newsroom.item_choices import Clicked, choices
from broadcaster.newsroom.item_drafts import FIELDS, number, typed_in, version_read
from broadcaster.newsroom.item_form import rule_clicked, typed, with_box, words_in
from broadcaster.newsroom.items import audience_words, state_words
from broadcaster.newsroom.members import Id
from broadcaster.newsroom.remarks import beside_sentence
from broadcaster.newsroom.rows import row_trouble, rows_in
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word, place_words
from subscribers.actor import Actor, Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Conflict, Invalid, Outdated
from subscribers.organisations import names_of

router = APIRouter()

_Asked = Annotated[int, Query(ge=0, lt=2**53)]
_EMPTY = Words("", "")
#: what the button says that hands in what stands in the form
_HAND_IN = "contribute"
#: and those that open the rows to click together, and make a box of them
_ROWS, _BOX = "rows", "box"
_TOLD = {
    Move.ACCEPT: msgid("Accepted: {headline}."),
    Move.SEND_BACK: msgid("Sent back: {headline}."),
    Move.WITHDRAW: msgid("Withdrawn: {headline}. It stands in no edition any more."),
    Move.RESTORE: msgid("Put back: {headline}."),
    Move.SHARE: msgid("In the shared pool: {headline}."),
    Move.UNSHARE: msgid("No longer in the shared pool: {headline}."),
}
#: what takes it back
_BACK = {
    Move.ACCEPT: Move.SEND_BACK,
    Move.WITHDRAW: Move.RESTORE,
    Move.RESTORE: Move.WITHDRAW,
    Move.SHARE: Move.UNSHARE,
    Move.UNSHARE: Move.SHARE,
}


#: the field that an error is about
_AT = {Undescribed: "alt", Unaddressed: "whom", Unmeant: "other_audience"}


@shows(router, "/items/new", needs=Right.WRITE)
def blank(request: Request, house: House, visit: Here, corrects: _Asked = 0, draft: _Asked = 0) -> Response:
    """An empty sheet; `corrects` is the item that this one puts right, `draft` what was begun before."""
    words = _EMPTY
    if draft:
        with house.reading() as tx:
            kept = drafts.get(tx.session, visit.actor, visit.signed_in.user_id, draft)
        return draw_item(request, house, visit, typed(typed_in(kept)), draft=kept, corrects=corrects)
    if corrects:
        with house.reading() as tx:
            words = items.words_of(items.get(tx.session, visit.actor, corrects))
    return draw_item(request, house, visit, words, corrects=corrects)


@takes(router, "/items/new", needs=Right.WRITE)
def write(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A new item."""
    if _is_enter(form):
        return _look(request, house, visit, form)
    words, corrects = _EMPTY, number(form, "corrects")
    try:
        with house.begin() as tx:
            words = words_in(form, rule_clicked(tx, visit, form))
            made = items.write(tx.session, visit.actor, words, corrects=corrects or None, now=tx.now)
            drafts.finish(tx.session, visit.actor, visit.signed_in.user_id, number(form, "draft"))
    except (Invalid, Conflict) as error:
        kept = _kept(house, visit, form)
        return draw_item(request, house, visit, typed(form), error=error, corrects=corrects, form=form, kept=kept)
    return done(visit, f"/items/{made.id}", msgid("Saved: {headline}."), headline=made.headline)


@shows(router, "/items/{id}", needs=Right.SEE)
def item(request: Request, house: House, visit: Here, id: Id, draft: _Asked = 0) -> Response:  # noqa: A002
    """One item, with all that may be done with it; in its form is what the visitor has not saved yet."""
    with house.reading() as tx:
        found = items.get(tx.session, visit.actor, id)
        kept = _unsaved(tx.session, visit, found, draft) if may_write(visit, found) else None
    return draw_item(request, house, visit, typed(typed_in(kept)) if kept else items.words_of(found), found, draft=kept)


@takes(router, "/items/{id}", needs=Right.WRITE)
def save(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Other words; if somebody else was faster, both texts are shown. Accepted and handed in is what was seen."""
    if _is_enter(form):
        return look(request, house, visit, form, id)
    act = form.text("act")
    try:
        with house.begin() as tx:
            saved = _saved(tx, visit, id, form)
            if act == Move.ACCEPT:
                items.decide(tx.session, visit.actor, id, Move.ACCEPT, now=tx.now)
            elif act == _HAND_IN:
                items.contribute(tx.session, visit.actor, id, now=tx.now)
            drafts.finish(tx.session, visit.actor, visit.signed_in.user_id, number(form, "draft"))
            headline = saved.headline
    except (Invalid, Conflict) as error:
        with house.reading() as tx:
            found = items.get(tx.session, visit.actor, id)
        return draw_item(request, house, visit, typed(form), found, error=error, form=form)
    if act == Move.ACCEPT:
        return _moved(visit, id, Move.ACCEPT, headline)
    if act == _HAND_IN:
        told, back = msgid("Handed in: {headline}. It waits for an editor."), f"/items/{id}/take-back"
        return done(visit, f"/items/{id}", told, undo=back, headline=headline)
    return done(visit, f"/items/{id}", msgid("Saved: {headline}."), headline=headline)


def _saved(tx: Tx, visit: Visit, item_id: int, form: Posted) -> Item:
    """The item as it stands in the form; whoever only accepts what they have read has changed nothing."""
    words, version = words_in(form, rule_clicked(tx, visit, form)), version_read(form)
    item = items.get(tx.session, visit.actor, item_id)
    if form.text("act") and item.version == version and checked(words) == items.words_of(item):
        return item
    return items.change(tx.session, visit.actor, item_id, words, version=version, now=tx.now)


@takes(router, "/items/new/places", needs=Right.WRITE)
def look_in_new(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The organisations that were looked for, as boxes, or rows to click together; what stands in the form stays."""
    return _look(request, house, visit, form)


@takes(router, "/items/{id}/places", needs=Right.WRITE)
def look(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """The same on the page of an item."""
    with house.reading() as tx:
        found = items.get(tx.session, visit.actor, id)
    return _look(request, house, visit, form, found)


def _look(request: Request, house: Runtime, visit: Visit, form: Posted, item: Item | None = None) -> Response:
    words, error, corrects, act = typed(form), None, number(form, "corrects"), form.text("act")
    field = "joined" if act == _BOX else CHOSEN
    looked: dict[str, Any] = {"corrects": corrects, "form": form, "field": field, "q": _looked_for(form)}
    try:
        if act == _BOX:
            with house.reading() as tx:
                boxed = rule_clicked(tx, visit, form)
            if not boxed:
                raise Invalid("No row says what is asked.", hint="Choose something in the first row.")
            words = with_box(form, boxed)
            looked |= {"rows": (), "boxed": boxed}
        if form.file(CHOSEN):
            # a page that is drawn anew has forgotten which file was chosen
            words = replace(words, picture_id=take_in(house, visit, form)[0], alt="")
    except BroadsheetError as refused:
        error = refused
    return draw_item(
        request,
        house,
        visit,
        words,
        item,
        error=error,
        is_clicking=act == _ROWS or isinstance(error, Invalid),
        **looked,
    )


def _looked_for(form: Posted) -> str:
    return form.text("place_q").strip()


def _is_enter(form: Posted) -> bool:
    """Whether somebody pressed Enter while the name of an organisation stands there: they look, and save nothing.

    Also where its boxes are there already: a page that looks while somebody types may be quicker than their Enter.
    """
    return form.text("act") == "enter" and bool(_looked_for(form))


@takes(router, "/items/{id}/take-back", needs=Right.WRITE)
def take_back(house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """What was handed in is a draft again, to be written on."""
    with house.begin() as tx:
        headline = items.take_back(tx.session, visit.actor, id, now=tx.now).headline
    return done(visit, f"/items/{id}", msgid("Taken back: {headline}. It is a draft again."), headline=headline)


@takes(router, "/items/{id}/decide", needs=Right.EDIT)
def decide(house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """What an editor does with it."""
    wish = form.text("move")
    if wish not in list(Move):
        raise Invalid("This cannot be done with an item.", hint="Load the page again.")
    move = Move(wish)
    with house.begin() as tx:
        headline = items.decide(tx.session, visit.actor, id, move, note=form.text("note"), now=tx.now).headline
    return _moved(visit, id, move, headline)


def _moved(visit: Visit, item_id: int, move: Move, headline: str) -> Response:
    back = _BACK.get(move)
    undo = {"undo": f"/items/{item_id}/decide", "undo_fields": {"move": back.value}} if back else {}
    return done(visit, f"/items/{item_id}", _TOLD[move], headline=headline, **undo)  # type: ignore[arg-type]


@takes(router, "/items/{id}/copy", needs=Right.WRITE)
def copy(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """A copy of one's own. What cannot be kept as it stands any more is an item to be written anew, with its words."""
    try:
        with house.begin() as tx:
            made = items.copy(tx.session, visit.actor, id, now=tx.now)
    except Invalid as error:
        with house.reading() as tx:
            words = items.words_of(items.get(tx.session, visit.actor, id))
        return draw_item(request, house, visit, words, error=error)
    return done(visit, f"/items/{made.id}", msgid("Copied. This one is yours."))


def _kept(house: Runtime, visit: Visit, form: Posted) -> ItemDraft | None:
    """A new item that was refused, kept as what is typed is: whoever leaves the page finds it again."""
    fields = [(name, value) for name, value in form.pairs() if name in FIELDS]
    try:
        with house.begin() as tx:
            return drafts.keep(
                tx.session,
                visit.actor,
                visit.signed_in.user_id,
                fields,
                draft_id=number(form, "draft"),
                saves=number(form, "saves"),
                now=tx.now,
            )
    except BroadsheetError:
        # it stands on the page, which says why it was refused
        return None


def draw_item(
    request: Request,
    house: Runtime,
    visit: Visit,
    words: Words,
    item: Item | None = None,
    *,
    error: BroadsheetError | None = None,
    corrects: int = 0,
    draft: ItemDraft | None = None,
    form: Posted | None = None,
    kept: ItemDraft | None = None,
    field: str = "headline",
    q: str = "",
    rows: Sequence[Clause] | None = None,
    is_clicking: bool = False,
    boxed: str = "",
) -> Response:
    """The page of an item. `form`: what was just refused, `kept` as a draft; `draft`: what was kept of it before; `q`:
    the organisation that was looked for; `is_clicking`: there are rows to click together, `boxed` was made of them.
    """
    actor = visit.actor
    field = next((name for kind, name in _AT.items() if isinstance(error, kind)), field)
    if isinstance(error, Unfit):
        field = error.at
    given = form or (typed_in(draft) if draft else None)
    if rows is None:
        rows = rows_in(given) if given else ()
    clicked = Clicked(rows, given is not None and given.text("joined") == "any", is_clicking or bool(_begun(rows)))
    with house.reading() as tx:
        picture = pictures.facts(tx.session, actor, words.picture_id) if words.picture_id else None
        differs = draft is not None and (item is None or _differs(draft, item))
        draft_at = when(draft.saved_at, tx.now, house.settings.zone) if draft and differs else ""
        offered = choices(house, tx, visit, words, q, clicked)
        told = _told(house, tx.session, actor, item, now=tx.now) if item else {}
    going_on = draft or kept
    return draw(
        request,
        "item.html",
        status=422 if error else 200,
        trouble=row_trouble(error, field) if error else None,
        theirs=items.words_of(item) if item and isinstance(error, Outdated) else None,
        theirs_audience=audience_words(item.audience) if item else "",
        words=words,
        remarks=beside_sentence(words.sms),
        picture=picture,
        has_pages=bool(house.settings.web.pages),
        item=item,
        corrects=item.corrects_id if item else corrects,
        may_write=may_write(visit, item),
        draft=going_on.id if going_on else number(form, "draft") if form else 0,
        saves=going_on.saves if going_on else number(form, "saves") if form else 0,
        draft_at=draft_at,
        version=_version(item, draft if differs else None, None if isinstance(error, Outdated) else form),
        q=q,
        boxed=boxed,
        is_opened=is_clicking and not (boxed or error),
        **offered,
        **({"state": "", "place": "", "changed": "", "editions": (), "moves": (), "may_take_back": False} | told),
    )


def _begun(rows: Sequence[Clause]) -> list[Clause]:
    return [each for each in rows if each.field or each.value.strip()]


def _version(item: Item | None, draft: ItemDraft | None, form: Posted | None) -> int:
    """Of the item, when what is in the form was begun: nobody writes over words that they have not seen."""
    if item is None:
        return 0
    return draft.version if draft else number(form, "version") if form else item.version


def _unsaved(session: Session, visit: Visit, item: Item, draft: int) -> ItemDraft | None:
    """What the actor has begun in an item: the draft of this number, or the newest.

    One that says what the item says is gone on with, too, so that it is not left over when the item is saved.
    """
    mine = drafts.unfinished(session, visit.actor, visit.signed_in.user_id, item_id=item.id)
    found = [each for each in mine if each.id == draft or not draft]
    return next((each for each in found if _differs(each, item)), found[0] if found else None)


def _differs(draft: ItemDraft, item: Item) -> bool:
    # what is kept on the way to the button may come after what the button saved
    try:
        kept = typed_in(draft)
        return bool(_begun(rows_in(kept))) or checked(words_in(kept)) != items.words_of(item)
    except Invalid:
        return True


def may_write(visit: Visit, item: Item | None) -> bool:
    """Whether they may change it now."""
    actor = visit.actor
    if item is None:
        return Right.WRITE in actor.rights
    needed = Right.WRITE if item.state == ItemState.DRAFT else Right.EDIT
    return needed in actor.rights and item.under.startswith(actor.under)


def _told(house: Runtime, session: Session, actor: Actor, item: Item, *, now: Any) -> dict[str, Any]:
    is_own = item.under.startswith(actor.under)
    fitting = [move for move, (before, _) in MOVES.items() if ItemState(item.state) in before and _helps(item, move)]
    return {
        "state": state_words(item),
        "place": place_words(names_of(session, [item.under]).get(item.under, "")) or tr("all organisations"),
        "changer": actor_word(item.changed_by),
        "changed": when(item.changed_at, now, house.settings.zone),
        "editions": items.stands_in(session, actor, item.id),
        "put_right": corrections_of(session, actor, item.id),
        "moves": [move.value for move in fitting] if is_own and Right.EDIT in actor.rights else [],
        # an editor sends it back
        "may_take_back": is_own
        and item.state == ItemState.CONTRIBUTED
        and Right.WRITE in actor.rights
        and Right.EDIT not in actor.rights,
    }


def _helps(item: Item, move: Move) -> bool:
    """Whether it changes anything that one would want to change."""
    if move in (Move.SHARE, Move.UNSHARE):
        return item.shared is (move is Move.UNSHARE)
    return True
