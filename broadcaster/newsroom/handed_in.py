"""A picture that came with a form: made small and kept, before anything is written."""

from __future__ import annotations

from broadcaster.newspaper import pictures
from broadcaster.newspaper.shrinking import Shrunk, shrink
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Posted
from broadcaster.web.visits import Visit
from subscribers.errors import Invalid

#: the field of a form in which it is chosen
CHOSEN = "picture_file"


def take_in(house: Runtime, visit: Visit, form: Posted) -> tuple[int, Shrunk, int]:
    """Keep it: its number, what was made of it, and the size in bytes of what was handed in.

    Raises `Invalid` when none was chosen, and what `shrink` raises.
    """
    upload = form.file(CHOSEN)
    if upload is None:
        raise Invalid("No picture was chosen.", hint="Choose a JPEG, PNG, WebP or GIF.")
    # before a transaction begins: it takes its time
    shrunk = shrink(upload.file)
    with house.begin() as tx:
        return pictures.keep(tx.session, visit.actor, shrunk, now=tx.now), shrunk, upload.size or 0
