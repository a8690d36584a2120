"""`broadsheet campaigns`: make one, look at it, send it, watch it. `steering.py` has the verbs for one that runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from broadcaster.campaigns import check as checking
from broadcaster.campaigns import compose, schedule
from broadcaster.campaigns.findings import about_fields
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.went_out import was_rehearsed
from broadcaster.commands.checked import check_document, sentence, shown_check, shown_findings, shown_variants
from broadcaster.commands.drafting import draft
from broadcaster.commands.house import opened, read_time
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, local, table, write_csv
from broadcaster.commands.progress import counting
from broadcaster.commands.steering import mount_steering
from broadcaster.commands.tracing import mount_tracing
from broadcaster.commands.watching import campaign_document, how_far, shown_campaign, watch_until
from broadcaster.keeping import restoring
from broadcaster.language import filled, in_a_row, listed, ntr, tr, translated
from broadcaster.reports.recipients import Recipient, recipients
from broadcaster.words import campaign_state_word, reason_word, segment_word, state_word
from subscribers import audit
from subscribers.actor import Right
from subscribers.msisdn import mask

app = noun()

Id = Annotated[int, typer.Argument(max=MOST, metavar="ID", help=tr("The campaign's number."))]
At = Annotated[str | None, typer.Option(metavar="TIME", help=tr('The paper\'s own time: "2026-11-25 10:00".'))]
AsDrafted = Annotated[
    bool,
    typer.Option(
        "--as-drafted",
        help=tr("Also if its edition or a segment was changed since: as it was drafted."),
    ),
]

#: rows of a table; more of them are for a file
SHOWN = 50


@verb(
    app,
    about=tr("Make a draft: a text, a template, or an edition, for an audience. Nothing is sent."),
    example='broadsheet campaigns create --text "{{ name }}，您好，周五下午三点开会。" --to everyone\n'
    "broadsheet campaigns create --template notice --field text=周五下午三点开会。 --to retired\n"
    "broadsheet campaigns create --edition 128 --to everyone",
    needs=Right.WRITE,
)
def create(
    to: Annotated[str, typer.Option(metavar="RULE", help=tr("Whom: a segment or a rule."))],
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help=tr("What they read; a field is written in two braces."))
    ] = None,
    template: Annotated[str | None, typer.Option(metavar="NAME", help=tr("A file of templates_sms."))] = None,
    field: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help=tr("A field of the template."))] = None,
    edition: Annotated[int | None, typer.Option(metavar="NUMBER", help=tr("An edition of the paper."))] = None,
    gateway: Annotated[str | None, typer.Option(metavar="NAME", help=tr("By this gateway."))] = None,
    at: At = None,
    urgent: Annotated[bool, typer.Option("--urgent", help=tr("Before all others, also in quiet hours."))] = False,
) -> None:
    with opened() as house, house.begin() as tx:
        planned = _read_future(at, house.settings.zone, tx.now) if at else None
        content = {"text": text, "template": template, "edition": edition}
        campaign = draft(house, tx, content, field or [], rule=to, gateway=gateway, urgent=urgent, at=planned)
        number, title, findings = campaign.id, campaign.title, about_fields(campaign)
    told = tr("Campaign {id} is a draft: {title}", id=number, title=title)
    then = [f"broadsheet campaigns check {number}"]
    if planned:
        then.append(f"broadsheet campaigns schedule {number}")
    warnings = [sentence(each) for each in findings]
    answer({"id": number, "state": "draft", "warnings": warnings}, told, *shown_findings(findings), then=then)


@verb(
    app, name="list", about=tr("The campaigns, the newest first."), example="broadsheet campaigns list", needs=Right.SEE
)
def list_(limit: Annotated[int, typer.Option(min=1, help=tr("At most so many."))] = 50) -> None:
    with opened() as house, house.reading() as tx:
        found = compose.listing(tx.session, house.actor, limit=limit)
        zone = house.settings.zone
        documents = [_line(campaign) for campaign in found]
        stopped = restoring.waiting(tx.session)
    headings = (tr("id"), tr("title"), tr("state"), tr("to"), tr("made at"), tr("planned for"))
    rows = [
        (
            c.id,
            c.title,
            campaign_state_word(c.state, rehearsed=was_rehearsed(c)),
            segment_word(c.rule),
            local(c.created_at, zone),
            local(c.scheduled_for, zone),
        )
        for c in found
    ]
    answer(
        {"campaigns": documents},
        table(*headings, rows=rows, right=(0,)) if found else tr("There is no campaign yet."),
        _restored([campaign.id for campaign in found if campaign.id in stopped]),
    )


@verb(
    app,
    about=tr("What would happen: recipients, who is skipped and why, parts, cost, and what stands against it."),
    example="broadsheet campaigns check 3",
    needs=Right.SEE,
)
def check(campaign_id: Id) -> None:
    with opened() as house, counting(tr("recipients")) as counted, house.reading() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        route = house.route(campaign)
        zone = house.settings.zone
        # at the tariff of the day on which it shall go out
        ways = house.ways(tx, at=campaign.scheduled_for)
        checked = checking.check(
            tx.session, house.actor, campaign, route, ways, zone=zone, now=tx.now, progress=counted
        )
        startable = campaign.state in schedule.STARTABLE
    then = [f"broadsheet campaigns send {campaign_id} --confirm {checked.recipients}"]
    if checked.blocking or not startable:
        then = [] if startable else [f"broadsheet campaigns show {campaign_id}"]
    answer(check_document(checked), *shown_variants(checked), *shown_check(checked), then=then)
    if checked.blocking:
        raise typer.Exit(1)


@verb(
    app,
    name="schedule",
    about=tr("Let it start by itself at a time."),
    example='broadsheet campaigns schedule 3 --at "2026-11-25 10:00"',
    needs=Right.SEND,
)
def schedule_(campaign_id: Id, at: At = None, as_drafted: AsDrafted = False) -> None:
    with opened() as house, house.begin() as tx:
        zone = house.settings.zone
        campaign = compose.get(tx.session, house.actor, campaign_id)
        if planned := read_time(at, zone) if at else campaign.scheduled_for:
            schedule.refuse_past(planned, now=tx.now, zone=zone)
        given = campaign, planned, house.route(campaign), house.ways(tx)
        time = schedule.schedule(tx.session, house.actor, *given, as_drafted=as_drafted, zone=zone, now=tx.now)
        state = campaign.state
    told = tr("Campaign {id} starts by itself at {time}.", id=campaign_id, time=local(time, zone))
    answer({"id": campaign_id, "state": state, "at": time}, told, then=[f"broadsheet campaigns watch {campaign_id}"])


@verb(
    app,
    about=tr("Start it, if the number typed is that of its recipients."),
    example="broadsheet campaigns send 3 --confirm 1800 --dry-run\nbroadsheet campaigns send 3 --confirm 1800 --watch",
    needs=Right.SEND,
)
def send(
    campaign_id: Id,
    confirm: Annotated[int, typer.Option(metavar="RECIPIENTS", help=tr("The number that `check` shows."))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tr("Do everything but start it."))] = False,
    watch: Annotated[bool, typer.Option("--watch", help=tr("And watch until all is sent."))] = False,
    as_drafted: AsDrafted = False,
) -> None:
    with opened() as house:
        with house.reading() if dry_run else house.begin() as tx:
            campaign = compose.get(tx.session, house.actor, campaign_id)
            act = schedule.rehearse if dry_run else schedule.start
            route = house.route(campaign)
            checked = act(
                tx.session,
                house.actor,
                campaign,
                confirm,
                route,
                house.ways(tx),
                as_drafted=as_drafted,
                zone=house.settings.zone,
                now=tx.now,
            )
            state = campaign.state
        if watch and not dry_run:
            watch_until(house, campaign_id, until="sent", timeout=None)
            return
    people = ntr("{n} recipient", "{n} recipients", checked.recipients)
    if dry_run:
        told = tr(
            "Dry run: campaign {id} would go out to {people}. Nothing was started.", id=campaign_id, people=people
        )
    else:
        told = tr("Campaign {id} has started: {people}.", id=campaign_id, people=people)
    then = [] if dry_run else [f"broadsheet campaigns watch {campaign_id}"]
    document = {"id": campaign_id, "state": state, "recipients": checked.recipients, "parts": checked.parts}
    answer(document | {"cost": checked.cost, "currency": checked.currency}, told, then=then)


@verb(
    app,
    about=tr("Live progress until it is sent or closed; on an embedded installation without `up`, this sends it."),
    example="broadsheet campaigns watch 3\nbroadsheet campaigns watch 3 --until closed --timeout 600",
    needs=Right.SEE,
)
def watch(
    campaign_id: Id,
    until: Annotated[str, typer.Option(metavar="sent|closed", help=tr("How far."))] = "sent",
    timeout: Annotated[
        float | None, typer.Option(metavar="S", min=0, help=tr("Give up after so many seconds."))
    ] = None,
) -> None:
    with opened() as house:
        watch_until(house, campaign_id, until=until, timeout=timeout)


@verb(
    app,
    about=tr("How far it is, in figures that add up."),
    example="broadsheet campaigns show 3 --json",
    needs=Right.SEE,
)
def show(campaign_id: Id) -> None:
    with opened() as house, house.reading() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        figures, held_up = how_far(house, tx, campaign)
        shown = shown_campaign(campaign, figures, held_up, house.settings.zone)
        answer(campaign_document(campaign, figures, held_up), *shown)


@verb(
    app,
    about=tr("Everyone it was meant for: who, which state, why. Numbers are masked unless asked for in full."),
    example="broadsheet campaigns messages 3 --state failed,rejected,expired\n"
    "broadsheet campaigns messages 3 --csv messages.csv --full-numbers",
    needs=Right.SEE,
)
def messages(
    campaign_id: Id,
    state: Annotated[
        str | None, typer.Option(metavar="STATES", help=tr("Only those in these states, with commas between."))
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Write all of them there."))] = None,
    full_numbers: Annotated[bool, typer.Option("--full-numbers", help=tr("Do not mask numbers."))] = False,
) -> None:
    with opened() as house, house.showing(full_numbers=full_numbers) as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        found = [
            _message(one, full_numbers=full_numbers)
            for one in recipients(tx.session, house.actor, campaign, state=state)
        ]
        if full_numbers:
            thing = f"campaign {campaign_id}"
            audit.seen_in_full(tx.session, house.actor, "campaigns.messages", thing, people=len(found), now=tx.now)
    headings = ("name", "msisdn", "state", "reason", "parts", "delivered_parts", "attempt", "member")
    if csv:
        write_csv(csv, headings, ([one[key] for key in headings] for one in found))
        answer({"messages": found, "file": str(csv)}, tr("{rows} rows written to {file}.", rows=len(found), file=csv))
        return
    rows = [
        (o["member"], o["name"], o["msisdn"] or "-", state_word(o["state"]), o["reason"], o["parts"])
        for o in found[:SHOWN]
    ]
    shown = table(
        tr("member"), tr("name"), tr("number"), tr("state"), tr("reason"), tr("parts"), rows=rows, right=(0, 5)
    )
    more = tr("These are {shown} of {all}; --csv FILE writes all of them.", shown=SHOWN, all=len(found))
    answer({"messages": found}, shown if found else tr("There is none."), more if len(found) > SHOWN else None)


mount_tracing(app)
mount_steering(app)


def _read_future(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """A time to come, as it is typed."""
    time = read_time(text, zone)
    schedule.refuse_past(time, now=now, zone=zone)
    return time


def _restored(ids: Sequence[int]) -> str | None:
    if not ids:
        return None
    told = tr("Stopped because the database was restored from a backup: {ids}.", ids=listed(map(str, ids)))
    return in_a_row(told, translated(restoring.HINT))


def _line(campaign: Campaign) -> dict[str, Any]:
    keys = (
        "id",
        "kind",
        "title",
        "state",
        "rule",
        "gateway",
        "created_by",
        "created_at",
        "scheduled_for",
        "started_at",
    )
    note = filled(campaign.note, campaign.note_fields)
    return {key: getattr(campaign, key) for key in keys} | {"rehearsed": was_rehearsed(campaign), "note": note}


def _message(one: Recipient, *, full_numbers: bool) -> dict[str, Any]:
    return {
        "member": one.member_id,
        "name": one.name,
        "msisdn": one.msisdn if full_numbers or not one.msisdn else mask(one.msisdn),
        "state": one.state,
        "reason": reason_word(one.reason),
        "parts": one.parts,
        "delivered_parts": one.delivered_parts,
        "attempt": one.attempt,
    }
