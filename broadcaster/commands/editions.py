"""`broadsheet editions`: numbered issues of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from broadcaster.campaigns import check, compose
from broadcaster.commands.checked import shown_variants, variant_documents
from broadcaster.commands.house import opened
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, facts, plain, table
from broadcaster.language import listed, tr
from broadcaster.newspaper import editions
from broadcaster.newspaper.edition_pictures import read_pictures
from broadcaster.words import segment_word
from subscribers.actor import Right

app = noun()

Number = Annotated[int, typer.Argument(max=MOST, metavar="NUMBER", help=tr("The edition's number."))]


@verb(
    app,
    name="import",
    about=tr("Take in an edition file; docs/editions.md has its form."),
    example="broadsheet editions import 128.toml",
    needs=Right.EDIT,
)
def import_(file: Annotated[Path, typer.Argument(metavar="FILE", help=tr("TOML in UTF-8."))]) -> None:
    with opened() as house:
        source = file.read_bytes()
        pictures = read_pictures(source, file.parent)
        with house.begin() as tx:
            edition = editions.import_edition(tx.session, house.actor, source, pictures=pictures, now=tx.now)
            number, title = edition.number, edition.title
    told = tr("Edition {number} is in: {title}", number=number, title=title)
    then = [f"broadsheet editions preview {number}", f"broadsheet campaigns create --edition {number} --to everyone"]
    answer({"number": number, "title": title}, told, then=then)


@verb(
    app, name="list", about=tr("The editions, the newest first."), example="broadsheet editions list", needs=Right.SEE
)
def list_() -> None:
    with opened() as house, house.reading() as tx:
        found = editions.listing(tx.session, house.actor)
    rows = [(one.number, one.date, one.title, _named(one.variants), one.items) for one in found]
    headings = (tr("number"), tr("date"), tr("title"), tr("variants"), tr("items"))
    answer(
        {"editions": [plain(one) for one in found]},
        table(*headings, rows=rows, right=(0, 4)) if found else tr("There is no edition yet."),
    )


@verb(app, about=tr("What each segment gets of an edition."), example="broadsheet editions show 128", needs=Right.SEE)
def show(number: Number) -> None:
    with opened() as house, house.reading() as tx:
        edition = editions.get(tx.session, house.actor, number)
        variants = editions.variants(tx.session, edition)
    document = {"number": number, "date": edition.date, "title": edition.title}
    headings = (tr("variant"), tr("column"), tr("headline"))
    rows = [
        (_named([variant.name]), column["name"], item["headline"])
        for variant in variants
        for column in variant.columns
        for item in column["items"]
    ]
    head = facts((tr("edition"), number), (tr("date"), edition.date), (tr("title"), edition.title))
    answer(document | {"variants": [plain(one) for one in variants]}, head, table(*headings, rows=rows))


@verb(
    app,
    about=tr("The edition as it would arrive: one phone per variant, with readers, parts and cost."),
    example="broadsheet editions preview 128\nbroadsheet editions preview 128 --to \"under('East City')\"",
    needs=Right.SEE,
)
def preview(
    number: Number,
    to: Annotated[str, typer.Option(metavar="RULE", help=tr("For these readers only."))] = "everyone",
) -> None:
    with opened() as house, house.reading() as tx:
        paper = house.settings.paper
        draft = compose.edition_unsaved(
            tx.session,
            house.actor,
            number,
            rule=to,
            paper=paper.name,
            language=paper.language,
            dress=house.dress,
            pages=house.settings.web.pages,
            now=tx.now,
        )
        checked = check.check(
            tx.session, house.actor, draft, house.route(draft), house.ways(tx), zone=house.settings.zone, now=tx.now
        )
    document: dict[str, Any] = {"number": number, "variants": variant_documents(checked)}
    answer(document, *shown_variants(checked))


def _named(variants: list[str] | tuple[str, ...]) -> str:
    return listed(map(segment_word, variants))
