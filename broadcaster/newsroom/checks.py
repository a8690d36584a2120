"""An edition looked through before it goes out: what stops it, what is odd, and what one button mends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns.check import UNSIGNED
from broadcaster.campaigns.reach import Reach
from broadcaster.language import filled, msgid, tr, translated
from broadcaster.newspaper import editions, items, making, publishing, word_lists
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.lint import Remark, about_full_texts, about_link, about_text, bearers, lint
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.edition_counts import count_panel
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.item_drafts import version_read
from broadcaster.newsroom.items import audience_words, offered_segments, typed_words, variant_words
from broadcaster.newsroom.members import Id
from broadcaster.newsroom.proofs import dresses_of, phones, proof_panel, reached_by, unsaved
from broadcaster.newsroom.sends import all_sends, times_out
from broadcaster.newsroom.shares import line, shares
from broadcaster.newsroom.shares import remarks as share_remarks
from broadcaster.newsroom.tabs import shown_of
from broadcaster.runtime import Runtime
from broadcaster.sms import repair
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.told import told, without_place
from broadcaster.web.visits import Here, Visit
from subscribers import segments
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Conflict, Invalid, Outdated

router = APIRouter()

#: where members read
PAGES = "/p"


@shows(router, ONE + "/check", needs=Right.SEE)
def check(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """All remarks, the worst first."""
    return draw_check(request, house, visit, id)


@takes(router, ONE + "/audience", needs=Right.EDIT)
def decide_audience(house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """For whom an item is, of the two that were written."""
    with house.begin() as tx:
        item, words = _standing(tx, visit, form, id)
        chosen = tuple(form.texts("audience"))
        if not chosen or not set(chosen) <= set(words.audience):
            raise Invalid("This cannot be done with an item.", hint="Load the page again.")
        items.change(
            tx.session, visit.actor, item, replace(words, audience=chosen), version=version_read(form), now=tx.now
        )
    told = msgid("{headline} is for {audience} now.")
    named = audience_words(chosen)
    return done(visit, f"{PATH}/{id}/check", told, headline=words.headline, audience=named)


@takes(router, ONE + "/repair", needs=Right.EDIT)
def mend(house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Look-alike characters of an item's sentence become plain ones."""
    with house.begin() as tx:
        item, words = _standing(tx, visit, form, id)
        mended = replace(words, sms=repair(words.sms))
        items.change(tx.session, visit.actor, item, mended, version=version_read(form), now=tx.now)
    return done(visit, f"{PATH}/{id}/check", msgid("Repaired: {headline}."), headline=words.headline)


def _standing(tx: Tx, visit: Visit, form: Posted, number: int) -> tuple[int, Words]:
    """The item that a form names, if it stands in the edition, and its words."""
    item = _number(form.text("item"))
    if not item:
        raise Invalid("This cannot be done with an item.", hint="Load the page again.")
    laid = making.layout(tx.session, visit.actor, number)
    words = items.words_of(items.get(tx.session, visit.actor, item))
    if not any(each.item.id == item for column in laid.columns for each in column.items):
        raise Conflict("It does not stand in edition {number} any more.", hint="Load it again.", number=number)
    return item, words


def _number(text: str) -> int:
    """A number that a page of ours has put there; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def draw_check(
    request: Request,
    house: Runtime,
    visit: Visit,
    number: int,
    *,
    error: BroadsheetError | None = None,
    readers: str | None = None,
    leads_to: str = "",
) -> Response:
    """The page of the check. `readers`: for whom the reading page shall be, as it was typed.

    `leads_to`: where the error is mended.
    """
    with house.reading() as tx:
        laid = making.layout(tx.session, visit.actor, number)
        placed = [each.item for column in laid.columns for each in column.items]
        remarks, drawn, reached = _looked_through(house, tx, visit, number, bearers(placed, laid.variants))
        words = word_lists.holding(tx.session, visit.actor)
        published = publishing.published_at(tx.session, visit.actor, number)
        are_readers = publishing.readers_of(tx.session, visit.actor, number)
        is_closed, lost = publishing.without_readers(tx.session, visit.actor, number)
        now = tx.now
        forbidden = _forbidden(house, tx, visit, number) if drawn or not remarks else ""
        found = lint(placed, laid.variants, day=laid.edition.date, forbidden=forbidden, words=words)
        decided = editions.own_texts(tx.session, laid.edition)
        found += about_full_texts(placed, laid.variants, decided, house.settings.web.pages)
        for name, own in decided.items():
            if name not in laid.variants:
                continue
            mended = {"at": laid.variants.index(name), "variant": name, "version": own.version}
            where = variant_words(name, laid.variants)
            if own.body:
                written = about_text(own.body, forbidden, words)
                remarks += [_told(remark, laid.variants) | {"where": where, "own": mended} for remark in written]
            if own.with_link:
                hint = (
                    {}
                    if house.settings.web.pages
                    else {"hint": tr("Choose there that nothing more stands at its end.")}
                )
                ends = about_link(house.settings.web.pages, is_published=published is not None)
                remarks += [_told(remark, laid.variants) | {"where": where, "own": mended} | hint for remark in ends]
        remarks += _about_signature(house, tx, visit, number)
        panel = proof_panel(house, tx, visit, number)
        known = offered_segments(segments.listing(tx.session, visit.actor))
        sends = all_sends(house, tx, visit, number)
        out = times_out(house, tx, visit, [number]).get(number, [])
        is_page_old = number in publishing.outdated(tx.session, [number])
        panel |= count_panel(house, tx, visit, number)
    may_edit = laid.is_own and Right.EDIT in visit.actor.rights
    odd = share_remarks(reached, laid.variants) if reached else []
    again = [line(sent["words"]) | {"hint": sent["again"]} for sent in out if not sent["is_rehearsal"]]
    lines = [
        *again,
        *remarks,
        *odd,
        *(_told(remark, laid.variants) | _addition(remark, laid.variants) for remark in found),
    ]
    return draw(
        request,
        "check.html",
        status=422 if error else 200,
        trouble=trouble(error, "theirs" if isinstance(error, Outdated) else "", path=leads_to) if error else None,
        edition=laid.edition,
        lines=sorted(lines, key=lambda line: not line["stops"]),
        stops=sum(line["stops"] for line in lines),
        phones=drawn,
        shown=shown_of(request, number, len(drawn)),
        one_only=False,
        may_edit=may_edit,
        may_send=Right.SEND in visit.actor.rights,
        read="\n".join(laid.variants),
        readers=audience_words([are_readers]) if are_readers else "",
        typed=typed_words(are_readers) if readers is None else readers,
        page_mark=publishing.mark_of(are_readers, is_published=published is not None),
        known=[typed_words(name) for name in dict.fromkeys([*laid.variants, *known]) if name not in EVERYONE],
        is_closed=is_closed,
        lost=lost,
        published=when(published, now, house.settings.zone) if published else "",
        has_pages=bool(house.settings.web.pages),
        address=f"{house.settings.web.pages or PAGES + '/'}{number}",
        sends=sends,
        is_page_old=is_page_old,
        who="",
        **panel,
        **(shares(reached) if reached else {"shares": ()}),
    )


def _looked_through(
    house: Runtime, tx: Tx, visit: Visit, number: int, needed: Collection[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Reach | None]:
    """What the texts of readers show: remarks, the phones, and who gets which variant. `needed`: variants that some
    item reaches nobody without.
    """
    try:
        reached = reached_by(house, tx, visit.actor, number)
        drawn = phones(house, tx, visit.actor, number, reached=reached)
    except Invalid as gone:
        # a segment that a variant names is not there any more
        words, hint = told(gone)
        return [line(without_place(words), stops=True) | {"hint": hint}], [], None
    lines, names = [], [each.name for each in reached.variants]
    said = {variant_words(name, names) for name in needed}
    for at, phone in enumerate(drawn):
        hint = tr("Write the text without it, or have it filled in for them under Members.")
        mended = {"hint": hint, "own": {"at": at}}
        lines += [line(lack, phone["name"], stops=True) | mended for lack in phone["lacking"]]
        if phone["taken"]:
            lines.append(line("", phone["name"], stops=phone["name"] in said) | phone["taken"])
        elif not phone["bubbles"] and not phone["lacking"]:
            lines.append(line(tr("Nobody is in this segment now."), phone["name"]))
        if phone.get("is_dear"):
            lines.append(line(phone["because"], phone["name"]))
    return lines, drawn, reached if drawn else None


def _about_signature(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    try:
        dresses = dresses_of(house, tx, unsaved(house, tx, visit.actor, number))
    except Invalid:
        # a segment that a variant names is not there any more: that is told already
        return []
    if all(own.signature for own in dresses.values()):
        return []
    return [line(translated(UNSIGNED)) | {"settings": True, "hint": tr("It is set there, or by whoever may.")}]


def _forbidden(house: Runtime, tx: Tx, visit: Visit, number: int) -> str:
    ways = house.ways(tx)
    route = house.route(unsaved(house, tx, visit.actor, number))
    return "".join(ways[name].capabilities.forbidden for name in route.gateways)


def _addition(remark: Remark, names: Sequence[str]) -> dict[str, str]:
    """The order of variants in which those are that somebody gets it by, before that of everybody else."""
    if not remark.lacking:
        return {}
    order = sorted([*names, *remark.lacking], key=lambda name: name in EVERYONE)
    return {"order": "\n".join(order), "button": tr("Add a variant for {names}", names=audience_words(remark.lacking))}


def _told(remark: Remark, names: Sequence[str]) -> dict[str, Any]:
    fields = dict(remark.fields)
    if "variant" in fields:
        fields["variant"] = variant_words(fields["variant"], names)
    for name in ("audience", "others"):
        if name in fields:
            fields[name] = audience_words(fields[name])
    found = line(filled(remark.message, fields), stops=remark.stops)
    hint = filled(remark.hint, fields)
    choices = [(audience, audience_words(audience)) for audience in remark.audiences]
    return found | {"hint": hint, "item": remark.item, "can_repair": remark.can_repair, "audiences": choices}
