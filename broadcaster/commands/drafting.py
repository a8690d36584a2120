"""From what was typed to a draft of the right kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from broadcaster.campaigns import compose
from broadcaster.campaigns.models import Campaign
from broadcaster.commands.house import House
from subscribers.db import Tx
from subscribers.errors import Invalid


def draft(house: House, tx: Tx, content: Mapping[str, Any], fields: Sequence[str], **more: Any) -> Campaign:
    """A draft of the one content that was given: `text`, `template` or `edition`. `more` goes to the draft itself.

    Raises `Invalid` for none or several of them, and for a gateway that is not configured.
    """
    given = [kind for kind, value in content.items() if value is not None]
    if len(given) != 1:
        raise Invalid(
            "A campaign has exactly one content: --text, --template or --edition.",
            hint='For example: broadsheet campaigns create --text "..." --to everyone',
        )
    if fields and given != ["template"]:
        raise Invalid("--field fills the fields of a template.", hint="Name the template with --template.")
    paper = house.settings.paper
    common = {**more, "dress": house.dress, "now": tx.now}
    if content["text"] is not None:
        made = compose.draft_notice(tx.session, house.actor, content["text"], **common)
    elif content["template"] is not None:
        values = _fields(fields)
        made = compose.draft_from_template(
            tx.session, house.actor, content["template"], values, language=paper.language, **common
        )
    else:
        made = compose.draft_edition(
            tx.session,
            house.actor,
            content["edition"],
            paper=paper.name,
            language=paper.language,
            pages=house.settings.web.pages,
            **common,
        )
    # an unknown gateway is found before the draft is kept
    house.route(made)
    return made


def _fields(given: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise Invalid("--field is written KEY=VALUE.", hint="For example --field text=...")
    return {key: value for key, _, value in pairs}
