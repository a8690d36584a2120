"""Each form says what it was opened with, so that nobody writes over what they have not seen; or why it need not."""

from __future__ import annotations

import pytest

from broadcaster.app import make_web
from broadcaster.newsroom.drawing import READ
from broadcaster.runtime import Runtime
from broadcaster.web.doors import DECLARED
from tests import every_page
from tests.newsroom.forms import Form, door_of, forms_of, parsed
from tests.newsroom.test_stale_forms import CASES
from tests.newsrooms import Browser
from tests.websites import hosted

#: forms that carry the version of what they were opened with, as it is stored
VERSIONED = {
    "/editions/{id}/audience",
    "/editions/{id}/repair",
    "/editions/{id}/sentence",
    "/editions/{id}/variants/{name}",
    "/editions/{id}/variants/{name}/anew",
    "/editions/{id}/variants/{name}/back",
    "/editions/{id}/variants/{name}/repair",
    "/items/{id}",
}
#: what forms carry is handed on by these
NOTHING_KEPT = "it keeps nothing of what is typed"
#: forms that carry neither, and why nobody's words are lost by them
WITHOUT = {
    "it makes something new, and a name that is taken is refused": (
        "/editions/new",
        "/editions/{id}/columns",
        "/first",
        "/items/columns",
        "/items/new",
        "/members/import",
        "/members/new",
        "/members/organisations",
        "/settings/users",
    ),
    "it makes what there can be one of only where there is none": (
        "/editions/{id}/columns/standing",
        "/items/columns/starter",
    ),
    "it adds to what was said or set, which all stays on record, each with its day": (
        "/members/{id}/consent",
        "/settings/gateways/price",
        "/settings/gateways/price/undo",
        "/settings/paper",
        "/settings/paper/undo",
    ),
    "it names what it is about by what it was called when the form was opened": (
        "/members/organisations/close",
        "/members/organisations/move",
        "/members/organisations/rename",
    ),
    "what may follow is told by the state in which it is by then": (
        "/editions/{id}/count",
        "/editions/{id}/count/cancel",
        "/editions/{id}/draft",
        "/editions/{id}/draft/anew",
        "/editions/{id}/take-down",
        "/items/{id}/copy",
        "/items/{id}/decide",
        "/items/{id}/take-back",
        "/members/import/{token}/look",
        "/members/import/{token}/stop",
        "/members/import/{token}/take",
        "/members/imports",
        "/members/transfers",
    ),
    "it moves, puts in or takes out one item or column, and leaves the others as another one has put them": (
        "/editions/{id}/columns/remove",
        "/editions/{id}/move",
        "/editions/{id}/out",
        "/editions/{id}/place",
        "/items/columns/{id}/move",
    ),
    "it ends sign-ins or gives a password, whoever else did so before": (
        "/settings/users/disable",
        "/settings/users/new-phone",
        "/settings/users/password",
    ),
    "it is of whoever sends it, and nobody else has it": (
        "/account/code",
        "/account/password",
        "/account/phone",
        "/account/phone/code",
        "/account/recovery",
        "/account/sign-ins/end",
        "/items/drafts/discard",
        "/items/keep",
        "/login",
        "/login/code",
        "/logout",
        "/p/{number}/reader",
        "/p/{number}/reader/code",
        "/p/{number}/reader/forget",
        "/place",
    ),
    NOTHING_KEPT: (
        "/editions/{id}/here",
        "/editions/{id}/proof",
        "/editions/{id}/variants/{name}/look",
        "/editions/{id}/who/look",
        "/items/new/picture",
        "/items/new/places",
        "/items/pasted",
        "/items/{id}/here",
        "/items/{id}/picture",
        "/items/{id}/places",
        "/members",
        "/members/segments/build",
        "/members/segments/look",
        "/members/{id}",
        "/search",
        "/settings/gateways",
    ),
}
#: one of several deeds by the same path
ADDS = ("/members/{id}/numbers", [("act", "add"), ("act", "verified")])
#: the list itself is what was read, and a form of an undo has one, too
ITS_LIST = {"/editions/{id}/who", "/editions/{id}/variants"}
#: their pages have something odd in them, which this house has not
UNMET = {
    "/editions/{id}/audience",
    "/editions/{id}/repair",
    "/editions/{id}/variants/{name}/back",
    "/editions/{id}/variants/{name}/repair",
}
#: its form stands in the line of what was done
UNDO_ONLY = {"/members/{id}/take-back"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_form_says_what_it_was_opened_with_or_why_not(house: Runtime) -> None:
    web = make_web(house)
    with hosted(web) as address:
        every_page.come_first(house)
        shown = every_page.settle(house, address)
        cookies = every_page.passes(house)
        browser = Browser(address)
        met: dict[str, list[Form]] = {}
        with browser.client:
            for each in shown:
                browser.leave()
                if cookies.get(each.who):
                    browser.client.cookies["broadsheet"] = cookies[each.who]
                answer = browser.client.get(each.path)
                for form in forms_of(parsed(answer.text), each.path):
                    if form.method == "POST":
                        met.setdefault(form.door[1], []).append(form)
    reasons = {path: why for why, paths in WITHOUT.items() for path in paths}
    marked = {door_of("POST", case.path) for case in CASES} | ITS_LIST
    posted = {path for method, path in DECLARED if method == "POST"}
    assert reasons.keys() | marked | VERSIONED | UNDO_ONLY == posted, "each form stands in one of these lists"
    for path, forms in met.items():
        field = READ if path in marked else "version" if path in VERSIONED else ""
        bare = [each for each in forms if field and field not in each.names]
        bare = [each for each in bare if path != ADDS[0] or not {*ADDS[1]} & {*each.pairs()}]
        assert not bare, f"{path} does not say what it was opened with"
        carried = [each for each in forms if path in reasons and READ in each.names]
        assert not carried or reasons[path] == NOTHING_KEPT, f"{path} says so, and stands among those that do not"
    assert (marked - met.keys(), VERSIONED - met.keys()) == (set(), UNMET)
