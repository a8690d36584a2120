"""`broadsheet logout`: the end of a sign-in."""

from __future__ import annotations

from broadcaster.access import sessions
from broadcaster.commands import token_file
from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.language import tr
from subscribers.errors import Denied

app = noun()


@verb(app, about=tr("Sign out at this command line."), example="broadsheet logout", needs=Free.DOOR)
def logout() -> None:
    with opened() as house:
        try:
            token = token_file.kept(house.settings)
        except Denied:
            # what others could read is thrown away all the same
            token = None
        if token:
            with house.begin() as tx:
                sessions.end(tx.session, token, now=tx.now)
        token_file.forget(house.settings)
    answer({"signed_in": False}, tr("Nobody is signed in here now."))
