"""The part of the tree that one looks at: lists and figures are narrowed to it, rights are as they were."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.newsroom.drawing import draw
from broadcaster.newsroom.members import Behind
from broadcaster.web.doors import Form, own_path, page_of, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import RECENT, Here, Visit, give_places, places_of
from broadcaster.words import place_words
from subscribers import organisations, tree_levels, tree_search
from subscribers.actor import Right
from subscribers.errors import NotFound
from subscribers.models import Organisation

router = APIRouter()

_SHOWN, _LEVEL = 30, 50


@shows(router, "/place", needs=Right.SEE)
def choose(
    request: Request,
    house: House,
    visit: Here,
    q: str = "",
    next: str = "",  # noqa: A002
    after: Behind = 0,
) -> Response:
    """Where to look: what was chosen before, what is looked for, and what is below the place one is at."""
    onward = own_path(next) if next else page_of(request)
    with house.reading() as tx:
        found = tree_search.find(tx.session, visit.actor, q, limit=_SHOWN) if q.strip() else []
        below = tree_levels.below(tx.session, visit.actor, visit.view.under, after=after, limit=_LEVEL + 1)
        recent = _named(tx.session, visit, places_of(request)[1:])
        home = organisations.home_of(tx.session, visit.actor)
    return draw(
        request,
        "place.html",
        q=q.strip(),
        found=found,
        below=[(node.id, node.names) for node in below[:_LEVEL]],
        more=below[_LEVEL - 1].id if len(below) > _LEVEL else 0,
        is_first=not after,
        recent=recent,
        home=home,
        above=_above(visit),
        onward="/" if onward.startswith("/place") else onward,
    )


@takes(router, "/place", needs=Right.SEE)
def narrow(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Look there from now on, or at everything again."""
    wish = form.text("to")
    to = int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 16 else 0
    if to:
        with house.reading() as tx:
            if not _named(tx.session, visit, [to]):
                raise NotFound("There is no such organisation in your part of the tree.", hint="Look for it by name.")
    before = [each for each in places_of(request) if each and each != to]
    answer = RedirectResponse(own_path(form.text("next")), 303)
    give_places(answer, visit, [to, *([to] if to else []), *dict.fromkeys(before)][: 1 + RECENT])
    return answer


def _above(visit: Visit) -> list[tuple[int, str]]:
    """The way down to where one looks, as far as it is the visitor's: ids and names."""
    if visit.place is None:
        return []
    ids = [int(part) for part in visit.place.path.split("/") if part]
    steps = list(zip(ids, place_words(visit.place.names).split("/"), strict=True))
    return steps[visit.actor.under.count("/") :]


def _named(session: Session, visit: Visit, ids: list[int]) -> list[tuple[int, str]]:
    """Those of these organisations that are of the visitor's part of the tree, with their paths of names."""
    query = select(Organisation.id, Organisation.path).where(
        Organisation.id.in_(ids), organisations.in_subtree(Organisation.path, visit.actor.under)
    )
    paths = dict(session.execute(query).all()) if ids else {}
    names = organisations.names_of(session, paths.values())
    return [(each, names[paths[each]]) for each in ids if each in paths]
