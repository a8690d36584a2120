"""`broadsheet simulate`: a carrier to rehearse against."""

from __future__ import annotations

import contextlib
import dataclasses
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.live import Live
from rich.text import Text

from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer, aside, console, facts
from broadcaster.language import Phrase, msgid, tr
from broadcaster.rehearsal.alphabets import DefaultAlphabet
from broadcaster.rehearsal.behaviour import Behaviour, IdForm, ReceiptBy, ReceiptWith, ThrottleWith
from broadcaster.rehearsal.counts import Counts
from broadcaster.rehearsal.running import HOST, Rehearsal, rehearsing
from subscribers.clock import monotonic
from subscribers.ending import asked_to_end
from subscribers.errors import Invalid

app = noun()

#: seconds between two looks at the figures
_LOOK = 0.5

_WHO = tr("Who may bind")
_ANSWERS = tr("Answers")
_PHONES = tr("Fates: fractions of the recipients")
_RECEIPTS = tr("Receipts: fractions of them, times in milliseconds")
_LINES = tr("Lines")
_MEMBERS = tr("Letters from members")


@app.callback()
def simulate() -> None:
    """A room with one verb still needs its name to be typed."""


def _fraction(about: str, panel: str) -> Any:
    return typer.Option(min=0, max=1, metavar="F", help=about, rich_help_panel=panel)


def _amount(about: str, panel: str, metavar: str = "N", least: int = 0) -> Any:
    return typer.Option(min=least, metavar=metavar, help=about, rich_help_panel=panel)


def _milliseconds(about: str, panel: str) -> Any:
    return _amount(about, panel, "MS")


def _choice(about: str, panel: str) -> Any:
    return typer.Option(help=about, rich_help_panel=panel)


Port = Annotated[int, typer.Option(min=0, max=65535, metavar="P", help=tr("Where to listen; 0: any free port."))]
Log = Annotated[
    Path, typer.Option(metavar="FILE", help=tr("Where every accepted part is written, a JSON line for each."))
]
Host = Annotated[str, typer.Option(help=tr("The address to listen on."))]
Fsync = Annotated[bool, typer.Option("--fsync", help=tr("A part is on the disk before it is answered."))]
Seed = Annotated[int, typer.Option(metavar="N", help=tr("The same seed makes the same fates."))]
SystemId = Annotated[str, _choice(tr("The only one that may bind; anybody if left out."), _WHO)]
Password = Annotated[str, _choice(tr("The only one that is right."), _WHO)]
MaxBinds = Annotated[int, _amount(tr("Connections that may be bound at once; 0: any number."), _WHO)]
Cert = Annotated[Path | None, _choice(tr("A certificate: speak TLS."), _WHO)]
Key = Annotated[Path | None, _choice(tr("The key of the certificate."), _WHO)]
Latency = Annotated[float, _milliseconds(tr("Between a submit and its answer."), _ANSWERS)]
Throttle = Annotated[float, _fraction(tr("Fraction of submits answered with 'too fast'."), _ANSWERS)]
Throttling = Annotated[ThrottleWith, _choice(tr("How: ESME_RTHROTTLED (0x58) or ESME_RMSGQFUL (0x14)."), _ANSWERS)]
Limit = Annotated[float, _amount(tr("Parts a second above which every submit is too fast; 0: no limit."), _ANSWERS)]
Alphabet = Annotated[DefaultAlphabet, _choice(tr("What data_coding 0 means here."), _ANSWERS)]
IdShape = Annotated[IdForm, _choice(tr("How message ids are written in answers."), _ANSWERS)]
Garbage = Annotated[float, _fraction(tr("Fraction of answers with something before them that is none."), _ANSWERS)]
Refuse = Annotated[float, _fraction(tr("Refused when submitted."), _PHONES)]
Undelivered = Annotated[float, _fraction(tr("Not delivered (UNDELIV)."), _PHONES)]
Expired = Annotated[float, _fraction(tr("Expired (EXPIRED)."), _PHONES)]
Rejected = Annotated[float, _fraction(tr("Rejected later (REJECTD)."), _PHONES)]
Lost = Annotated[float, _fraction(tr("Accepted, and never a receipt."), _PHONES)]
ReceiptDelay = Annotated[float, _milliseconds(tr("Between an answer and its receipt."), _RECEIPTS)]
ReceiptSpread = Annotated[float, _milliseconds(tr("Added to it: from nothing to so much."), _RECEIPTS)]
Intermediate = Annotated[float, _fraction(tr("With one on the way (ENROUTE) before it."), _RECEIPTS)]
Reordered = Annotated[float, _fraction(tr("With one on the way that comes after it."), _RECEIPTS)]
Duplicate = Annotated[float, _fraction(tr("Sent twice."), _RECEIPTS)]
Early = Annotated[float, _fraction(tr("Sent before the answer to their submit."), _RECEIPTS)]
Late = Annotated[float, _fraction(tr("Late."), _RECEIPTS)]
LateDelay = Annotated[float, _milliseconds(tr("How late."), _RECEIPTS)]
UnknownId = Annotated[float, _fraction(tr("Followed by one with an id that nobody was given."), _RECEIPTS)]
ReceiptIdShape = Annotated[
    IdForm | None, _choice(tr("How ids are written in receipts, if not as in answers."), _RECEIPTS)
]
TimeZone = Annotated[
    str, _choice(tr("In which their dates are written: the paper's own, if they shall agree."), _RECEIPTS)
]
By = Annotated[
    ReceiptBy, _choice(tr("Where a receipt says what it is about: parameters (TLVs), text, or both."), _RECEIPTS)
]
With = Annotated[ReceiptWith, _choice(tr("The operation that brings it."), _RECEIPTS)]
Window = Annotated[int, _amount(tr("So many at once, until they are acknowledged."), _RECEIPTS, least=1)]
DropAfter = Annotated[
    int, _amount(tr("Hang up after so many parts of a connection, the last one not answered."), _LINES)
]
SilentAfter = Annotated[int, _amount(tr("Hear and say nothing more after so many parts."), _LINES)]
HalfOpenAfter = Annotated[int, _amount(tr("Do not even read any more after so many parts."), _LINES)]
Drip = Annotated[float, _amount(tr("Bytes a second that leave; 0: all at once."), _LINES)]
MoRate = Annotated[
    float, _amount(tr("Messages from invented members a second, opt-outs and long letters among them."), _MEMBERS)
]


@verb(
    app,
    about=tr(
        "An SMPP carrier to rehearse against, until Ctrl-C: it accepts messages, writes them down and sends receipts, "
        "and can be as slow, as wrong and as silent as real ones are. Nothing reaches a phone."
    ),
    example=(
        "broadsheet simulate smpp --port 2775 --log accepted.jsonl\n"
        "broadsheet simulate smpp --port 2775 --log accepted.jsonl --undelivered 0.05 --throttle 0.1 --mo-rate 2\n"
        "broadsheet simulate smpp --port 2775 --log accepted.jsonl --id-form hex --receipt-id-form decimal\n"
        "broadsheet simulate smpp --port 2775 --log accepted.jsonl --silent-after 500"
    ),
    needs=Free.MACHINE,
)
def smpp(
    port: Port,
    log: Log,
    host: Host = HOST,
    fsync: Fsync = False,
    seed: Seed = 1,
    system_id: SystemId = "",
    password: Password = "",
    max_binds: MaxBinds = 0,
    cert: Cert = None,
    key: Key = None,
    latency: Latency = 0,
    throttle: Throttle = 0,
    throttle_with: Throttling = "throttled",
    limit: Limit = 0,
    default_alphabet: Alphabet = "gsm",
    id_form: IdShape = "decimal",
    garbage: Garbage = 0,
    refuse: Refuse = 0,
    undelivered: Undelivered = 0,
    expired: Expired = 0,
    rejected: Rejected = 0,
    lost: Lost = 0,
    receipt_delay: ReceiptDelay = 500,
    receipt_spread: ReceiptSpread = 0,
    intermediate: Intermediate = 0,
    reordered: Reordered = 0,
    duplicate: Duplicate = 0,
    early: Early = 0,
    late: Late = 0,
    late_delay: LateDelay = 10_000,
    unknown_id: UnknownId = 0,
    receipt_id_form: ReceiptIdShape = None,
    time_zone: TimeZone = "Asia/Shanghai",
    receipt_by: By = "both",
    receipt_with: With = "deliver_sm",
    receipt_window: Window = 500,
    drop_after: DropAfter = 0,
    silent_after: SilentAfter = 0,
    half_open_after: HalfOpenAfter = 0,
    drip: Drip = 0,
    mo_rate: MoRate = 0,
) -> None:
    behaviour = Behaviour(
        seed=seed,
        system_id=system_id,
        password=password,
        max_binds=max_binds,
        latency=latency / 1000,
        throttle=throttle,
        throttle_with=throttle_with,
        limit=limit,
        default_alphabet=default_alphabet,
        id_form=id_form,
        garbage=garbage,
        refuse=refuse,
        undelivered=undelivered,
        expired=expired,
        rejected=rejected,
        lost=lost,
        receipt_delay=receipt_delay / 1000,
        receipt_spread=receipt_spread / 1000,
        intermediate=intermediate,
        reordered=reordered,
        duplicate=duplicate,
        early=early,
        late=late,
        late_delay=late_delay / 1000,
        unknown_id=unknown_id,
        receipt_id_form=receipt_id_form,
        time_zone=_zone(time_zone),
        receipt_by=receipt_by,
        receipt_with=receipt_with,
        receipt_window=receipt_window,
        drop_after=drop_after,
        silent_after=silent_after,
        half_open_after=half_open_after,
        drip=drip,
        mo_rate=mo_rate,
    )
    tls = _tls(cert, key)
    began = monotonic()
    with (
        asked_to_end() as ending,
        rehearsing(log, behaviour, host=host, port=port, tls=tls, fsync=fsync) as carrier,
    ):
        # the first line, so that whoever started this can read the port
        aside(tr("Listening on {address}. Ctrl-C ends it.", address=f"{carrier.host}:{carrier.port}"))
        _watch(carrier, ending)
        counts = carrier.stop()
    _tell(counts, monotonic() - began, log)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            "There is no time zone {name}.", hint="Write it like Asia/Shanghai.", name=repr(name[:40])
        ) from error


def _watch(carrier: Rehearsal, ending: threading.Event) -> None:
    """Show the figures, where somebody looks, until asked to end or the carrier cannot go on."""
    with _status_line() as show:
        before, at = 0, monotonic()
        while not ending.wait(_LOOK) and not carrier.ended.is_set():
            counts, now = carrier.counts(), monotonic()
            show(counts, (counts.accepted - before) / (now - at))
            before, at = counts.accepted, now


@contextlib.contextmanager
def _status_line() -> Iterator[Callable[[Counts, float], None]]:
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda counts, rate: None
        return
    with Live(console=screen, auto_refresh=False, transient=True) as live:

        def show(counts: Counts, rate: float) -> None:
            line = tr(
                "{accepted:,} accepted, {rate:,.0f}/s, {receipts:,} receipts, {mo:,} from members, {links} connections",
                accepted=counts.accepted,
                rate=rate,
                receipts=counts.receipts,
                mo=counts.mo,
                links=counts.links,
            )
            live.update(Text(line), refresh=True)

        yield show


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None:
        if key is not None:
            raise Invalid("--key is the key of a certificate.", hint="Give --cert as well.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # OpenSSL does not say which of the two is not there
    blamed = cert
    try:
        for blamed in (key or cert, cert):
            blamed.open("rb").close()
        context.load_cert_chain(cert, key)
    except OSError as error:
        raise Invalid(
            "{cert} cannot be used as certificate: {detail}.",
            hint="--cert and --key are PEM files, made for each other; --key may be left out if --cert has both.",
            cert=blamed,
            detail=_why(error),
        ) from error
    return context


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        # what OpenSSL says names its own source lines
        return Phrase(msgid("it is not in PEM, or the key is that of another certificate"))
    return error.strerror or type(error).__name__


def _tell(counts: Counts, seconds: float, log: Path) -> None:
    """The figures, when it is over."""
    answer(
        {**dataclasses.asdict(counts), "seconds": round(seconds, 3), "log": str(log)},
        facts(
            (tr("parts accepted"), f"{counts.accepted:,}"),
            (tr("refused"), f"{counts.refused:,}"),
            (tr("too fast"), f"{counts.throttled:,}"),
            (tr("not understood"), f"{counts.malformed:,}"),
            (tr("receipts sent"), f"{counts.receipts:,}"),
            (tr("acknowledged"), f"{counts.receipts_acknowledged:,}"),
            (tr("not sent"), f"{counts.receipts_waiting + counts.receipts_dropped:,}"),
            (tr("from members"), f"{counts.mo:,}"),
            (tr("connections"), f"{counts.connections:,}"),
            (tr("binds refused"), f"{counts.binds_refused:,}"),
            (tr("log"), log),
        ),
    )
