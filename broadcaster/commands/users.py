"""`broadsheet users`: who works here, and what each may do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from broadcaster.access import passwords, sessions, sign_in, users
from broadcaster.access.models import Role
from broadcaster.access.users import Account
from broadcaster.commands import token_file
from broadcaster.commands.house import look_at_visitor, opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer, plain, table
from broadcaster.commands.secrets_typed import PasswordFile, read_new_password, read_password
from broadcaster.language import tr
from broadcaster.words import role_word
from subscribers.actor import OPERATOR, Right
from subscribers.errors import Denied

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help=tr("What the user is called."))]
_ROLES = "|".join(Role)
_UNDER = tr("The organisation whose part of the tree is theirs.")


@verb(
    app,
    about=tr("A new user. Without a password of your own, one is made up and shown once."),
    example="broadsheet users add wang --role admin\n"
    'broadsheet users add li --role editor --under "East City"\n'
    "broadsheet users add zhao --role viewer --password-file -",
    needs=Right.ADMINISTER,
)
def add(
    name: Name,
    role: Annotated[str, typer.Option(metavar=_ROLES, help=tr("What they may do: docs/rights.md has the table."))],
    under: Annotated[str, typer.Option(metavar="PATH", help=_UNDER)] = "",
    password_file: PasswordFile = None,
) -> None:
    password = read_new_password(password_file) if password_file else passwords.generate()
    with opened() as house:
        with house.begin() as tx:
            given_out = password_file is None
            added = users.add(
                tx.session, house.actor, name, role, under=under, password=password, given_out=given_out, now=tx.now
            )
            # from now on this command line would be locked out of what it is setting up
            is_first = house.actor is OPERATOR and users.has_admin(tx.session)
            token = sessions.open_for(tx.session, added.id, now=tx.now) if is_first else None
        if token:
            token_file.keep(house.settings, token)
    document = {"users": [plain(added)], "password": password if given_out else None, "signed_in": is_first}
    first = tr("From now on everybody signs in. You are signed in here as {name}.", name=added.name)
    answer(
        document,
        _told(added),
        tr("Their password, shown only now: {password}", password=password) if given_out else None,
        first if is_first else None,
        then=[] if is_first else [f"broadsheet login {added.name}"],
    )


@verb(
    app,
    name="list",
    about=tr("The users of your part of the tree."),
    example="broadsheet users list",
    needs=Right.ADMINISTER,
)
def list_() -> None:
    with opened() as house, house.reading() as tx:
        found = users.listing(tx.session, house.actor)
    shown = _table(found) if found else tr("There is no user yet: whoever types a command is the operator.")
    answer({"users": [plain(one) for one in found]}, shown)


@verb(
    app,
    about=tr("Give a user another role or another place; they sign in anew."),
    example="broadsheet users change li --role approver\n"
    'broadsheet users change li --under "West City"\n'
    "broadsheet users change li --enable",
    needs=Right.ADMINISTER,
)
def change(
    name: Name,
    role: Annotated[str | None, typer.Option(metavar=_ROLES, help=tr("The new role."))] = None,
    under: Annotated[str | None, typer.Option(metavar="PATH", help=_UNDER)] = None,
    enable: Annotated[bool, typer.Option("--enable", help=tr("Let in again who was disabled."))] = False,
) -> None:
    with opened() as house, house.begin() as tx:
        changed = users.change(tx.session, house.actor, name, role=role, under=under, enable=enable, now=tx.now)
    answer({"users": [plain(changed)]}, _told(changed))


@verb(
    app,
    about=tr("Let a user in no more, at once."),
    example="broadsheet users disable li",
    needs=Right.ADMINISTER,
)
def disable(name: Name) -> None:
    with opened() as house, house.begin() as tx:
        disabled = users.disable(tx.session, house.actor, name, now=tx.now)
    answer({"users": [plain(disabled)]}, tr("{name} is let in no more.", name=disabled.name))


@verb(
    app,
    name="new-phone",
    about=tr("Somebody's phone is lost: they set up the codes of another one at their next sign-in."),
    example="broadsheet users new-phone li",
    needs=Right.ADMINISTER,
)
def new_phone(name: Name) -> None:
    with opened() as house, house.begin() as tx:
        account = users.drop_second_factor(tx.session, house.actor, name, now=tx.now)
    answer({"users": [plain(account)]}, tr("{name} is asked for no code, and is signed in nowhere.", name=account.name))


@verb(
    app,
    about=tr("Choose a new password for yourself, or, as an administrator, give one to somebody."),
    example="broadsheet users password\nbroadsheet users password li",
    needs=Free.DOOR,
)
def password(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=tr("Whose; your own if left out."))] = "",
    password_file: PasswordFile = None,
    old_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tr("Read the one you have there."))
    ] = None,
) -> None:
    if name:
        _give(name, password_file)
    else:
        _choose(password_file, old_password_file)


def _give(name: str, file: Path | None) -> None:
    """As an administrator."""
    given = read_new_password(file) if file else passwords.generate()
    with opened(needs=Right.ADMINISTER) as house, house.begin() as tx:
        account = users.set_password(tx.session, house.actor, name, given, now=tx.now)
    answer(
        {"users": [plain(account)], "password": None if file else given},
        tr("{name} has a new password, and is signed in nowhere.", name=account.name),
        None if file else tr("Their password, shown only now: {password}", password=given),
    )


def _choose(file: Path | None, old_file: Path | None) -> None:
    """For oneself, with the password one has."""
    with opened() as house:
        look_at_visitor(house)
        if house.visitor is None:
            raise Denied("You are not signed in.", hint="`broadsheet login NAME` signs you in.")
        old = read_password(old_file, tr("The password you have now"))
        new = read_new_password(file)
        sign_in.change_own_password(house.begin, house.visitor.user_id, old, new)
        with house.begin() as tx:
            token = sessions.open_for(tx.session, house.visitor.user_id, now=tx.now)
        token_file.keep(house.settings, token)
        told = tr("Your password is changed. You are signed in here, and nowhere else.")
        answer({"user": house.actor.name}, told)


def _told(account: Account) -> str:
    where = account.under or tr("the whole tree")
    return tr("{name}: {role}, {where}", name=account.name, role=role_word(account.role), where=where)


def _table(found: Sequence[Account]) -> RenderableType:
    headings = (tr("name"), tr("role"), tr("organisation"), tr("made by"), tr("state"))
    rows = [
        (
            one.name,
            role_word(one.role),
            one.under or tr("the whole tree"),
            one.created_by,
            tr("disabled") if one.disabled_at else "",
        )
        for one in found
    ]
    return table(*headings, rows=rows)
