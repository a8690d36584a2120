"""One's own account: password, second factor, and where one is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.access import recovery, second_factor, sessions, sign_in, users
from broadcaster.access.models import Door
from broadcaster.language import msgid, tr
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Open, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit, give
from broadcaster.words import place_words, right_word
from subscribers import organisations
from subscribers.errors import BroadsheetError, Invalid

router = APIRouter()


class _Unlike(Invalid):
    """A password and its repetition."""


@shows(router, "/account", needs=Open.SIGNED_IN)
def account(request: Request, house: House, visit: Here) -> Response:
    """Who one is here, and what there is to change."""
    me = visit.signed_in
    with house.reading() as tx:
        now = tx.now
        under = organisations.home_of(tx.session, me.actor)
        open_ones = sessions.open_ones(tx.session, me.user_id, now=now)
        has_code = users.has_second_factor(tx.session, me.user_id)
        codes_left = recovery.left(tx.session, me.user_id)
    signed_in = [
        {
            "id": one.id,
            "is_this": one.id == me.sign_in_id,
            "door": tr("In a browser") if one.door == Door.WEB else tr("At the command line"),
            "since": when(one.created_at, now, house.settings.zone),
            "used": when(one.last_used_at, now, house.settings.zone),
        }
        for one in open_ones
    ]
    return draw(
        request,
        "account.html",
        under=place_words(under) or tr("the whole tree"),
        rights=[right_word(right) for right in sorted(me.actor.rights)],
        signed_in=signed_in,
        has_code=has_code,
        codes_left=codes_left,
    )


@takes(router, "/account/sign-ins/end", needs=Open.SIGNED_IN)
def end_sign_in(house: House, visit: Here, form: Form) -> Response:
    """End one of one's own sign-ins by its number, or all but this one."""
    me = visit.signed_in
    number = form.text("sign_in")
    with house.begin() as tx:
        for one in sessions.open_ones(tx.session, me.user_id, now=tx.now):
            if one.id != me.sign_in_id and number in ("others", str(one.id)):
                sessions.end_one(tx.session, me.user_id, one.id, now=tx.now)
    return done(visit, "/account", msgid("Signed out there."))


@shows(router, "/account/password", needs=Open.SIGNED_IN)
def password(request: Request) -> Response:
    """The form for another password."""
    return draw(request, "account_password.html")


@takes(router, "/account/password", needs=Open.SIGNED_IN)
def choose_password(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another password, with the one that one has. Everywhere else one is signed in no more."""
    user_id = visit.signed_in.user_id
    try:
        if form.text("new") != form.text("again"):
            raise _Unlike("The two are not the same.", hint="Nothing was changed; try again.")
        sign_in.change_own_password(house.begin, user_id, form.text("old"), form.text("new"))
        with house.begin() as tx:
            token = sessions.open_for(tx.session, user_id, door=Door.WEB, now=tx.now)
    except BroadsheetError as error:
        at = "again" if isinstance(error, _Unlike) else "new" if isinstance(error, Invalid) else "old"
        return draw(request, "account_password.html", status=422, trouble=trouble(error, at))
    answer = RedirectResponse("/", 303)
    give(answer, visit, token)
    return answer


@shows(router, "/account/code", needs=Open.SIGNED_IN)
def second(request: Request, house: House, visit: Here) -> Response:
    """What the authenticator is told, and the form for its first code; whoever has one finds nothing to set up."""
    with house.reading() as tx:
        if users.has_second_factor(tx.session, visit.signed_in.user_id):
            return RedirectResponse("/account", 303)
    return _draw_code(request, house, visit)


@takes(router, "/account/code", needs=Open.SIGNED_IN)
def confirm_second(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The first code."""
    me = visit.signed_in
    try:
        with house.begin() as tx:
            second_factor.confirm(tx.session, me.user_id, _seed(visit), house.secret, form.text("code"), now=tx.now)
            # whoever came by the password alone must not get what the code is asked for
            sessions.end_others(tx.session, me.user_id, me.sign_in_id, now=tx.now)
    except BroadsheetError as error:
        return _draw_code(request, house, visit, error)
    codes = sign_in.make_recovery_codes(house.begin, me.user_id)
    return _draw_recovery(request, house, codes, told=tr("From now on signing in asks for a code of your phone."))


@shows(router, "/account/recovery", needs=Open.SIGNED_IN)
def recovery_codes(request: Request, house: House, visit: Here) -> Response:
    """How many are left, and the form for others; for whoever has a second factor."""
    with house.reading() as tx:
        if not users.has_second_factor(tx.session, visit.signed_in.user_id):
            return RedirectResponse("/account/code", 303)
    return _draw_recovery(request, house)


@takes(router, "/account/recovery", needs=Open.SIGNED_IN)
def renew_recovery_codes(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Other ones, shown now and never again, for a code of the phone."""
    try:
        codes = sign_in.renew_recovery_codes(house.begin, visit.signed_in.user_id, form.text("code"), house.secret)
    except BroadsheetError as error:
        return _draw_recovery(request, house, error=error)
    return _draw_recovery(request, house, codes, told=tr("These are new. The earlier ones are good for nothing now."))


def _draw_recovery(
    request: Request,
    house: Runtime,
    codes: Sequence[str] = (),
    *,
    told: str = "",
    error: BroadsheetError | None = None,
) -> Response:
    visit: Visit = request.state.visit
    with house.reading() as tx:
        left = recovery.left(tx.session, visit.signed_in.user_id)
    about = tr("Recovery codes of {name}, {paper}", name=visit.actor.name, paper=house.settings.paper.name)
    return draw(
        request,
        "recovery.html",
        status=422 if error else 200,
        trouble=trouble(error, "code") if error else None,
        codes=codes,
        told_first=told,
        left=left,
        file="data:text/plain;charset=utf-8," + quote("\r\n".join([about, "", *codes, ""])),
    )


def _draw_code(request: Request, house: Runtime, visit: Visit, error: BroadsheetError | None = None) -> Response:
    name = visit.actor.name
    told = second_factor.enrolment(_seed(visit), house.secret, name, paper=house.settings.paper.name)
    with house.reading() as tx:
        is_alone = not users.is_another_admin(tx.session, visit.signed_in.user_id)
    return draw(
        request,
        "account_code.html",
        is_owed=visit.signed_in.owes_code,
        is_alone=is_alone,
        status=422 if error else 200,
        trouble=trouble(error, "code") if error else None,
        picture=segno.make(told.address, micro=False).svg_data_uri(scale=5, border=4, light="white"),
        address=told.address,
        secret=" ".join(told.secret[at : at + 4] for at in range(0, len(told.secret), 4)),
    )


def _seed(visit: Visit) -> str:
    # of this sign-in: nothing is written down until a code has shown that it arrived
    return visit.signature("authenticator")[:40]
