"""What stands in the form of an item: its words, and for whom it is, ticked, typed or clicked together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from broadcaster.newspaper import pictures
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.item_words import Unaddressed, Unfit, Words, at_field
from broadcaster.newsroom.handed_in import CHOSEN
from broadcaster.newsroom.item_choices import known_rules
from broadcaster.newsroom.item_drafts import number
from broadcaster.newsroom.rows import as_known, rows_in, rule_in_rows
from broadcaster.web.doors import Posted
from broadcaster.web.visits import Visit
from subscribers.db import Tx
from subscribers.errors import Invalid


def rule_clicked(tx: Tx, visit: Visit, form: Posted) -> str:
    """The rule that was clicked together, under the name that it has here already; empty for none. Raises `Invalid`."""
    rule = rule_in_rows(tx, visit, rows_in(form), is_any=form.text("joined") == "any")
    return as_known(rule, [*form.texts("audience"), *known_rules(tx, visit)]) if rule else ""


def words_in(form: Posted, rule: str = "") -> Words:
    """The words of a form. `rule`: what was clicked together in it. Raises `Invalid` for what cannot be read."""
    chosen = form.file(CHOSEN)
    if name := ((chosen and chosen.filename) or form.text(CHOSEN)).replace("\\", "/").rpartition("/")[2]:
        # without scripts nothing else than its button hands a file in; some send its name only
        raise Invalid(
            "The picture {name} was chosen and not handed in.",
            hint="Choose it again and press “Use this picture”, or save without it.",
            name=name[:80],
        )
    given = typed(form, rule)
    if not given.audience:
        raise Unaddressed("It is not said for whom it is.", hint="Tick who shall get it, or choose everyone.")
    begins, ends = (_day(form, name) for name in ("valid_from", "valid_to"))
    return replace(given, valid_from=begins, valid_to=ends)


def typed(form: Posted, rule: str = "") -> Words:
    """The words of a form as far as they can be read, to be shown once more."""
    column = form.text("column")
    own = [line for line in form.text("other_audience").splitlines() if line.strip()]
    chosen = list(dict.fromkeys([*form.texts("audience"), *own, *filter(None, [rule])]))
    whom = form.text("whom")
    # of a page that was open before there was a choice
    is_for_all = whom == "everyone" or not (chosen or whom)
    days: list[date | None] = []
    for name in ("valid_from", "valid_to"):
        try:
            days.append(_day(form, name))
        except Invalid:
            days.append(None)
    return Words(
        form.text("headline"),
        form.text("sms"),
        form.text("full"),
        ("everyone", *chosen) if is_for_all else tuple(chosen),
        form.text("source"),
        int(column) if column.isascii() and column.isdigit() and len(column) < 16 else None,
        days[0],
        days[1],
        number(form, pictures.FIELD) or None,
        form.text("alt"),
    )


def with_box(form: Posted, rule: str) -> Words:
    """The same where a rule was clicked together: whoever does that means nobody else."""
    words = typed(form, rule)
    return replace(words, audience=tuple(name for name in words.audience if name not in EVERYONE)) if rule else words


def _day(form: Posted, name: str) -> date | None:
    text = form.text(name).strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        wrong = Unfit("{text} is no day.", hint="Write it year first: 2026-11-23.", text=repr(text[:20]))
        raise at_field(name, wrong) from None
