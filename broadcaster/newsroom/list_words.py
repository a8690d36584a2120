"""What would come of a list, and what came of it, in words for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.language import filled, in_a_row, listed, msgid, ntr, tr, translated
from broadcaster.newsroom.past_imports import in_a_sentence
from broadcaster.web.figures import count, when
from broadcaster.words import (
    LIST_FIELDS,
    actor_word,
    kind_words,
    list_field_word,
    place_words,
    skip_reason_word,
    status_word,
)
from subscribers.importing import Reason, like_organisations, reached
from subscribers.models import Status

#: what there is to do about people to whom nothing can be sent
_TO_DO = {
    Reason.NO_NUMBER: msgid("Write a mobile number into the list, or at the member afterwards."),
    Reason.LANDLINE: msgid("A landline gets no SMS. Write a mobile number into the list, or at the member afterwards."),
    Reason.OPTED_OUT: msgid("The list says that they want nothing, or they said so before."),
    Reason.NO_CONSENT: msgid("Write into the list that they want the paper, or say how you know that they agreed."),
    Reason.SUSPENDED: msgid("Ask them for their number, and verify it at the member."),
    Reason.DUPLICATE_HANDSET: msgid("One SMS goes to the handset that they share."),
}


def told_list(answer: Mapping[str, Any], *, taken: bool) -> dict[str, Any]:
    """What would come of a list, or with `taken` what came of it: figures, people, columns, faults."""
    people = answer["created"] + answer["updated"]
    mapped = answer["columns"]
    return {
        "people": people,
        "figures": [
            (tr("new"), answer["created"]),
            (tr("changed"), answer["updated"]),
            (tr("as they were"), answer["unchanged"]),
            (tr("rows refused"), answer["refused"]),
        ],
        "act": ntr("Take {n} person in", "Take {n} people in", people),
        **_columns({heading: mapped.get(heading, "") for heading in answer["headings"] if heading}),
        "notes": _notes(answer, taken=taken),
        "reach": _reach(answer),
        "kinds": [
            kind_words(
                each["n"],
                filled(each["message"], each["fields"]),
                # what was looked at by an earlier version of the program is told by one of each
                is_example=each.get("is_example", True),
            )
            for each in answer["kinds"]
        ],
        "refused": [
            # what was looked at by an earlier version of the program has no cells
            {"row": one["row"], "stood": " · ".join(one.get("stood", ())), "reason": in_a_sentence(one)}
            for one in answer["first_refused"]
        ],
    }


def told_last_time(
    answer: Mapping[str, Any], given: Mapping[str, Any], now: datetime, zone: ZoneInfo
) -> dict[str, Any] | None:
    """What was chosen for a list with these headings before, and whether it is chosen now; None if there was none."""
    last = answer.get("last_time")
    if last is None:
        return None
    said = {
        "file": last["file_name"],
        "who": actor_word(last["by"]),
        "time": when(datetime.fromisoformat(last["at"]), now, zone),
    }
    if last["is_undone"]:
        told = tr("As last time: {file}, {time}, by {who}; that import was undone.", **said)
    else:
        told = tr("As last time: {file}, {time}, by {who}.", **said)
    return {
        "told": told,
        "has_columns": last["is_as_then"],
        "is_shared": last["shared"] and given["shared"],
        "agreed": last["agreed"],
        "is_agreed": bool(last["agreed"]) and given["agreed"] == last["agreed"],
    }


def told_unread(chosen: Mapping[str, str]) -> dict[str, Any]:
    """The same for a list that could not be read so: its columns, each with the field that was chosen, "" for none."""
    return {"people": 0, "figures": [], "notes": [], "reach": None, "kinds": [], "refused": [], **_columns(chosen)}


def _columns(chosen: Mapping[str, str]) -> dict[str, Any]:
    fields = [(name, list_field_word(name)) for name in LIST_FIELDS]
    return {"columns": list(chosen.items()), "fields": fields}


def _which(unread: Sequence[str]) -> str:
    """What to do about a list of whose columns none is the organisation."""
    if heading := like_organisations(unread):
        return tr(
            "The column {heading} could be it: choose “organisation” for it below, and press “Look again”.",
            heading=heading,
        )
    if unread:
        return tr("If one of the columns says it, choose “organisation” for it below, and press “Look again”.")
    return ""


def _notes(answer: Mapping[str, Any], *, taken: bool) -> list[str]:
    notes = []
    read = answer["columns"].values()
    unread = [heading for heading in answer["headings"] if heading and heading not in answer["columns"]]
    # of rows that are refused, for their status perhaps, it is not known yet whom they are about
    has_newcomers = not taken and (answer["created"] or not answer["updated"] + answer["unchanged"])
    if has_newcomers and "organisation" not in read:
        notes.append(
            in_a_row(tr("No column was read as the organisation: nobody new would be in one."), _which(unread))
        )
    if has_newcomers and "status" not in read:
        said = tr(
            "No column was read as the status: everybody new would be {status}.",
            status=status_word(Status.IN_SERVICE),
        )
        choose = tr("If one of the columns says it, choose “status” for it below, and press “Look again”.")
        notes.append(in_a_row(said, choose if unread else ""))
    if number := answer["new_organisations"]:
        first = answer["first_new_organisations"]
        names = listed([*map(place_words, first), *["…"][: number > len(first)]])
        if taken:
            told = ntr(
                "{n} organisation was made, which was not there: {names}.",
                "{n} organisations were made, which were not there: {names}.",
                number,
                names=names,
            )
        else:
            told = ntr(
                "{n} organisation would be made, which is not there yet: {names}.",
                "{n} organisations would be made, which are not there yet: {names}.",
                number,
                names=names,
            )
        notes.append(told)
    return notes


def _reach(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """How many of the list can be sent to, and why the others cannot; None if the list was looked at before we told."""
    if "unreached" not in answer:
        return None
    people = answer["created"] + answer["updated"] + answer["unchanged"]
    unreached = answer["unreached"]
    reachable = reached(people, (each["people"] for each in unreached.values()))
    return {
        "told": tr(
            "People who can be sent to: {reachable} of {people}.", reachable=count(reachable), people=count(people)
        ),
        "reasons": [
            {
                "word": skip_reason_word(reason),
                "people": count(unreached[reason]["people"]),
                "rows": _rows(unreached[reason]),
                "to_do": in_a_row(translated(to_do), _still_out(answer) if reason == Reason.OPTED_OUT else ""),
            }
            for reason, to_do in _TO_DO.items()
            if reason in unreached
        ],
    }


def _rows(unreached: Mapping[str, Any]) -> str:
    named = unreached["rows"]
    return listed([*map(str, named), *["…"][: unreached["people"] > len(named)]])


def _still_out(answer: Mapping[str, Any]) -> str:
    if not answer["still_out"]:
        return ""
    return tr("{count} opted out themselves and stay out, whatever the file says.", count=answer["still_out"])
