"""A check as a document and as people read it: a phone per variant, who is skipped, what stands against sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from broadcaster.campaigns.check import Check, VariantCheck
from broadcaster.campaigns.findings import Finding
from broadcaster.commands.output import facts, table
from broadcaster.commands.phone import phone
from broadcaster.commands.program import typed_again
from broadcaster.language import filled, in_a_row, ntr, tr, translated
from broadcaster.web.figures import count, money
from broadcaster.words import SKIP_REASONS, segment_word, skip_reason_word


def check_document(checked: Check) -> dict[str, Any]:
    """All of a check."""
    return {
        "recipients": checked.recipients,
        "skipped": dict(checked.skipped),
        "parts": checked.parts,
        "cost": checked.cost,
        "currency": checked.currency,
        "seconds": checked.seconds,
        "warnings": [sentence(finding) for finding in checked.findings],
        "blocking": [sentence(finding) for finding in checked.blocking],
        "variants": variant_documents(checked),
    }


def variant_documents(checked: Check) -> list[dict[str, Any]]:
    """Each variant over its whole audience, with the text that its first reader gets."""
    return [
        {
            "name": variant.name,
            "recipients": variant.recipients,
            "parts": variant.parts_each,
            "cost": variant.cost,
            "currency": checked.currency,
            "encoding": variant.split.encoding.value if variant.split else None,
            "why": translated(variant.why.because).format(**variant.why.fields) if variant.why else None,
            "text": variant.text,
            "texts": list(variant.split.parts) if variant.split else [],
        }
        for variant in checked.variants
    ]


def shown_variants(checked: Check) -> list[RenderableType]:
    """The phones, each with its figures."""
    shown: list[RenderableType] = []
    for variant in checked.variants:
        name = segment_word(variant.name)
        figures = _figures(name, variant, checked.currency)
        if variant.split and variant.why:
            shown += [phone(figures, variant.split, variant.why), Text()]
        else:
            shown.append(Text(figures, style="bold"))
    return shown


def shown_check(checked: Check) -> list[RenderableType]:
    """The figures of the whole campaign, the skipped with reasons, and every finding with its hint."""
    shown: list[RenderableType] = [
        facts(
            (tr("recipients"), count(checked.recipients)),
            (tr("skipped"), count(sum(checked.skipped.values()))),
            (tr("parts"), count(checked.parts)),
            (tr("cost"), money(checked.cost, checked.currency)),
            (tr("takes about"), duration(checked.seconds) if checked.seconds else ""),
        )
    ]
    if checked.skipped:
        shown.append(skipped_table(checked.skipped))
    return shown + shown_findings(checked.findings)


def shown_findings(findings: Sequence[Finding]) -> list[RenderableType]:
    """Each in a sentence, with what to do below it."""
    shown: list[RenderableType] = []
    for finding in findings:
        mark, style = (tr("Cannot be sent:"), "bold red") if finding.blocking else (tr("Note:"), "yellow")
        told = Text(in_a_row(mark, sentence(finding)))
        told.stylize(style, 0, len(mark))
        shown.append(told)
        hints = (filled(each, finding.fields) for each in (finding.hint, finding.typed) if each)
        shown += [Text(f"  {typed_again(each)}", style="dim") for each in hints]
    return shown


def skipped_table(skipped: Mapping[str, int]) -> RenderableType:
    """Who is not sent to, and why."""
    rows = [(skip_reason_word(reason) if reason in SKIP_REASONS else reason, n) for reason, n in skipped.items()]
    return table(tr("skipped because"), tr("people"), rows=rows, right=(1,))


def duration(seconds: float) -> str:
    """A span as people say it: the larger unit only."""
    if seconds < 90:
        return ntr("{n} second", "{n} seconds", max(1, round(seconds)))
    if seconds < 5400:
        return ntr("{n} minute", "{n} minutes", round(seconds / 60))
    return ntr("{n} hour", "{n} hours", round(seconds / 3600))


def _figures(name: str, variant: VariantCheck, currency: str) -> str:
    each = variant.parts_each
    if each["min"] == each["max"]:
        parts = ntr("{n} part each", "{n} parts each", each["max"])
    else:
        parts = tr("{min} to {max} parts each (usually {median})", **each)
    return tr(
        "{name}: {readers}, {parts}, {cost}",
        name=name,
        readers=readers_of(variant.recipients),
        parts=parts,
        cost=money(variant.cost, currency),
    )


def readers_of(count: int) -> str:
    """So many readers."""
    return ntr("{count} reader", "{count} readers", count, count=f"{count:,}")


def sentence(finding: Finding) -> str:
    """In the reader's language."""
    return filled(finding.message, finding.fields)
