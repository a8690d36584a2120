"""What came of a list, as it is kept for the page that asked: figures, the first faults and their kinds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from subscribers.importing.importer import ImportResult
from subscribers.importing.rejects import RefusedRow, as_it_stood

#: refused rows, and kinds of them, that are told
SHOWN = 20


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


def _kinds(refused: list[RefusedRow]) -> list[dict[str, Any]]:
    kinds = Counter((one.message, one.fields.get("field")) for one in refused)
    examples = {(one.message, one.fields.get("field")): one for one in reversed(refused)}
    return [{"n": n, **_fault(examples[kind])} for kind, n in kinds.most_common(SHOWN)]


def _fault(refused: RefusedRow) -> dict[str, Any]:
    fields = {name: str(value) for name, value in refused.fields.items()}
    return {"message": refused.message, "hint": refused.hint, "fields": fields}
