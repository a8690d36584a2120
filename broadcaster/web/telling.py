"""What stands on the status page, as finished text in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster import words
from broadcaster.delivery.obstacles import Obstacle
from broadcaster.gateways.contract import Gateway
from broadcaster.language import filled, msgid, ntr, retold_whole, tr, translated
from broadcaster.reports.overview import LetterLine, Overview, Standing
from broadcaster.settings import Settings
from broadcaster.web.figures import count, share, when, widths
from subscribers.actor import Right

#: the tiles, in the order of the bar: the ledger's states behind each, by the first of which it is called
TILES: Mapping[str, tuple[str, ...]] = {
    "delivered": ("delivered",),
    "submitted": ("submitting", "submitted", "in_network"),
    "queued": ("queued", "held"),
    "failed": ("failed", "rejected", "expired"),
    "unknown": ("unknown",),
    "no_receipt": ("no_receipt",),
    "cancelled": ("cancelled",),
}
#: these are shown when somebody is in them
_WHEN_THERE = {"no_receipt", "cancelled"}
_MARKS = {
    "draft": "○",
    "in_review": "◐",
    "changes_requested": "◐",
    "approved": "◆",
    "scheduled": "◷",
    "preparing": "▶",
    "sending": "▶",
    "paused": "‖",
    "sent": "✓",
    "closed": "✓",
    "missed": "!",
}
RUNNING = {"preparing", "sending", "paused"}
_LETTER_WORDS = {
    "new": msgid("just came in"),
    "handled": msgid("dealt with"),
    "open": msgid("waits for an answer"),
    "answered": msgid("answered"),
    "closed": msgid("done with"),
    "opt_out": msgid("opted out"),
    "come_back": msgid("came back"),
}
#: digits enough for a telephone number, however they are set apart
_NUMBER = re.compile(r"\+?\d(?:[\s.\-()]{0,2}\d){6,}")
_WIDTH, _LEAST = 1000, 6


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, and its piece of the bar."""

    name: str
    word: str
    figure: str
    x: int
    width: int


class Teller:
    """Turns figures into what stands on the page."""

    def __init__(self, settings: Settings, gateways: Mapping[str, Gateway], now: datetime) -> None:
        self.zone = settings.zone
        self.gateways = gateways
        self.now = now

    def page(self, seen: Overview, held_up: Sequence[Obstacle] = (), rights: Collection[Right] = ()) -> dict[str, Any]:
        """The values of `_standing.html`, for somebody with these rights."""
        tells_details = Right.OPERATE in rights
        done = self._handed_over(seen.current) if seen.current and seen.current.state in RUNNING else ""
        name = self._name(seen.current) if seen.current else tr("Now")
        title = " ".join(filter(None, (done, name))) or tr("Now")
        return {
            "title": title,
            "as_of": tr("As of {time}", time=f"{self.now.astimezone(self.zone):%H:%M:%S}"),
            "current": self._current(seen.current) if seen.current else None,
            "held_up": [
                {
                    "words": tr("Gateway {name}: nothing leaves by it now.", name=each.gateway),
                    "detail": retold_whole(each.trouble) if tells_details else "",
                }
                for each in held_up
            ],
            "makes": Right.EDIT in rights,
            "others": [self._line(standing) for standing in seen.others],
            "letters": [self._letter(letter) for letter in seen.letters],
            "gateways": [
                {
                    "name": name,
                    "kind": words.gateway_word(gateway.kind),
                    "last": self._when(seen.last_receipts.get(name)),
                }
                for name, gateway in self.gateways.items()
            ],
            "unsure": self._unsure(seen.unsure),
            "words": _words(),
        }

    def _current(self, standing: Standing) -> dict[str, Any]:
        return {
            "name": self._name(standing),
            "state": _state(standing.state),
            "path": _path(standing),
            "command": "" if standing.edition else f"campaigns show {standing.id}",
            "rehearsal": tr("A rehearsal: nothing of it reached a phone, and its receipts are made up.")
            if standing.is_rehearsal
            else "",
            "at": self._when(standing.at),
            "note": filled(standing.note, standing.note_fields),
            "sentence": self._sentence(standing),
            "tiles": _tiles(standing),
            "skipped": count(sum(standing.skipped.values())),
            "sum": self._sum(standing),
            "reasons": _listed(standing.skipped, words.skip_reason_word),
        }

    def _sentence(self, standing: Standing) -> str:
        if standing.is_being_written_down:
            written = tr("The list of recipients is being written.")
            return f"{self._how_far(standing)} · {written}" if standing.recipients else written
        return self._how_far(standing)

    def _how_far(self, standing: Standing) -> str:
        figures = {"recipients": count(standing.recipients)}
        if standing.waiting:
            return tr(
                "Sent to {sent} of {recipients} people ({share})",
                sent=count(standing.recipients - standing.waiting),
                share=self._handed_over(standing),
                **figures,
            )
        delivered = standing.messages.get("delivered", 0)
        return tr(
            "Delivered to {delivered} of {recipients} people ({share})",
            delivered=count(delivered),
            share=share(delivered, standing.recipients),
            **figures,
        )

    def _handed_over(self, standing: Standing) -> str:
        return share(standing.recipients - standing.waiting, standing.recipients)

    def _sum(self, standing: Standing) -> str:
        skipped = sum(standing.skipped.values())
        return tr(
            "Together {recipients} people. Besides, {skipped} were skipped.",
            recipients=count(standing.recipients),
            skipped=count(skipped),
        )

    def _line(self, standing: Standing) -> dict[str, str]:
        delivered = standing.messages.get("delivered", 0)
        return {
            "name": self._name(standing),
            "state": _state(standing.state, rehearsed=standing.is_rehearsal),
            "path": _path(standing),
            "at": self._when(standing.at) if standing.at else "",
            "recipients": count(standing.recipients) if standing.messages else "—",
            "delivered": share(delivered, standing.recipients),
        }

    def _name(self, standing: Standing) -> str:
        if standing.edition is not None:
            return tr("No. {number}: {title}", number=standing.edition, title=standing.title)
        return standing.title

    def _letter(self, letter: LetterLine) -> dict[str, str]:
        text = _NUMBER.sub(lambda found: f"{found[0][:3]}****", letter.text)
        return {
            "number": letter.number,
            "at": self._when(letter.received_at),
            "state": translated(_LETTER_WORDS.get(letter.handled_as) or _LETTER_WORDS[letter.state]),
            "text": text if len(text) <= 80 else f"{text[:79]}…",
        }

    def _unsure(self, parts: int) -> str:
        if not parts:
            return ""
        return ntr(
            "{n} part was handed over without an answer. It may have gone, and is not sent again by itself.",
            "{n} parts were handed over without an answer. They may have gone, and are not sent again by themselves.",
            parts,
        )

    def _when(self, instant: datetime | None) -> str:
        return when(instant, self.now, self.zone) if instant else "—"


def _tiles(standing: Standing) -> list[Tile]:
    figures = {name: sum(standing.messages.get(state, 0) for state in states) for name, states in TILES.items()}
    tiles, x = [], 0
    for (name, figure), width in zip(
        figures.items(), widths(list(figures.values()), _WIDTH, least=_LEAST), strict=True
    ):
        if figure or name not in _WHEN_THERE:
            tiles.append(Tile(name, words.state_word(name), count(figure), x, width))
        x += width
    return tiles


def _state(state: str, *, rehearsed: bool = False) -> str:
    return f"{_MARKS.get(state, '✕')} {words.campaign_state_word(state, rehearsed=rehearsed)}"


def _path(standing: Standing) -> str:
    """Where an editor looks at it; a send of no edition has no page of its own."""
    if standing.edition is None or not standing.has_open_edition:
        return ""
    page = f"/editions/{standing.edition}"
    return f"{page}/check#send-{standing.id}" if standing.is_own else page


def _listed(figures: Mapping[str, int], word: Callable[[str], str]) -> str:
    most_first = sorted(figures.items(), key=lambda pair: -pair[1])
    return " · ".join(f"{word(reason)} {count(n)}" for reason, n in most_first)


def _words() -> dict[str, str]:
    return {
        "skip": tr("Skip to the content"),
        "now": tr("Now"),
        "nothing": tr("Nothing has been sent yet."),
        "how": tr(
            "An edition goes out in three steps: an editor makes it and looks it over, a send is made of it, and "
            "whoever may send (operator, administrator) starts it."
        ),
        "make": tr("Make an edition"),
        "editions": tr("See the editions"),
        "details": tr("Technical details"),
        "ask": tr("Ask the operator to see to it."),
        "look": tr("See the edition and what was sent of it"),
        "others": tr("Sends"),
        "name": tr("What"),
        "recipients": tr("Recipients"),
        "delivered": tr("Delivered"),
        "skipped": words.state_word("skipped"),
        "started": tr("Started"),
        "letters": tr("Newest letters"),
        "no_letters": tr("No letters yet."),
        "gateways": tr("Gateways"),
        "gateways_are": tr("A gateway hands messages to the carrier; a receipt is its word on what became of one."),
        "gateway": tr("Gateway"),
        "kind": tr("Kind"),
        "last": tr("Last receipt"),
        "hold": tr("Keep this page still"),
        "go_on": tr("Let this page follow again"),
        "health": tr("Is all well?"),
    }
