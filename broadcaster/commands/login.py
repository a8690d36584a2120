"""`broadsheet login`: who acts at this command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broadcaster.access import sign_in, users
from broadcaster.commands import token_file
from broadcaster.commands.house import House, look_at_visitor, opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer, facts
from broadcaster.commands.secrets_typed import PasswordFile, read_password
from broadcaster.language import listed, tr
from subscribers import organisations
from subscribers.actor import OPERATOR

app = noun()


@verb(
    app,
    about=tr("Sign in at this command line; without a name: who is signed in."),
    example="broadsheet login wang\nbroadsheet login wang --password-file wang.txt\nbroadsheet login",
    needs=Free.DOOR,
)
def login(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=tr("What you are called here."))] = "",
    password_file: PasswordFile = None,
) -> None:
    with opened() as house:
        if name:
            password = read_password(password_file, tr("Password"))
            token_file.keep(house.settings, sign_in.sign_in(house.begin, name, password))
        look_at_visitor(house)
        _tell(house)


def _tell(house: House) -> None:
    if house.visitor is None:
        _tell_nobody(house)
        return
    with house.reading() as tx:
        under = organisations.home_of(tx.session, house.actor)
    rights = sorted(right.value for right in house.actor.rights)
    user: dict[str, Any] = {"name": house.actor.name, "under": under, "rights": rights}
    answer(
        {"users": [user], "must_change": house.visitor.must_change},
        facts(
            (tr("signed in as"), house.actor.name),
            (tr("organisation"), under or tr("the whole tree")),
            (tr("may"), listed(rights)),
        ),
        tr("Somebody else gave out your password: choose one of your own.") if house.visitor.must_change else None,
        then=["broadsheet users password"] if house.visitor.must_change else [],
    )


def _tell_nobody(house: House) -> None:
    with house.reading() as tx:
        is_set_up = users.has_admin(tx.session)
    if is_set_up:
        answer({"users": []}, tr("Nobody is signed in here."), then=["broadsheet login NAME"])
        return
    told = tr("There is no administrator yet: whoever types a command is the operator, with every right.")
    rights = sorted(right.value for right in OPERATOR.rights)
    answer(
        {"users": [{"name": OPERATOR.name, "under": "", "rights": rights}], "must_change": False},
        told,
        then=["broadsheet users add NAME --role admin"],
    )
