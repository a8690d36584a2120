"""What came of a list, as it is kept for the page that asked: figures, the first faults and their kinds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from subscribers.importing.importer import ImportResult
from subscribers.importing.rejects import RefusedRow, as_it_stood

#: refused rows, and kinds of them, that are told
SHOWN = 20
#: sentences of one kind that are told one by one
APART = 5


def told(result: ImportResult) -> dict[str, Any]:
    """The result as JSON takes it: of refused rows how many, the first of them, and the most frequent kinds."""
    return {
        "rows": result.rows,
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "refused": len(result.refused),
        "first_refused": [
            {"row": one.row, "stood": as_it_stood(result.headings, one), **_fault(one)}
            for one in result.refused[:SHOWN]
        ],
        "kinds": _kinds(result.refused) if len(result.refused) > SHOWN else [],
        "still_out": result.still_out,
        "unreached": {reason: asdict(each) for reason, each in result.unreached.items()},
        "new_organisations": result.new_organisations,
        "first_new_organisations": list(result.first_new_organisations),
        "headings": list(result.headings),
        "columns": result.columns,
        "import_id": result.import_id,
    }


def kinds_of(refused: Sequence[RefusedRow]) -> list[tuple[int, RefusedRow, bool]]:
    """How many rows have which fault, the most frequent first: with one of them, and whether the others read otherwise.

    A status that nobody knows is told by its name; numbers that are wrong each in their own way by one of them.
    """
    alike: dict[tuple[str, object], Counter[str]] = defaultdict(Counter)
    examples: dict[str, RefusedRow] = {}
    for one in refused:
        told_so = one.message.format(**one.fields)
        alike[one.message, one.fields.get("field")][told_so] += 1
        examples.setdefault(told_so, one)
    kinds: list[tuple[int, RefusedRow, bool]] = []
    for sentences in alike.values():
        if len(sentences) <= APART:
            kinds += [(n, examples[sentence], False) for sentence, n in sentences.items()]
        else:
            kinds.append((sentences.total(), examples[next(iter(sentences))], True))
    return sorted(kinds, key=lambda each: -each[0])[:SHOWN]


def _kinds(refused: Sequence[RefusedRow]) -> list[dict[str, Any]]:
    return [{"n": n, "is_example": is_example, **_fault(one)} for n, one, is_example in kinds_of(refused)]


def _fault(refused: RefusedRow) -> dict[str, Any]:
    fields = {name: str(value) for name, value in refused.fields.items()}
    return {"message": refused.message, "hint": refused.hint, "fields": fields}
