"""The verbs of `broadsheet members` for one member: add, change, leave, show, numbers, verify, transfer, forget."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcaster import forgetting
from broadcaster.commands.house import opened, read_day, today
from broadcaster.commands.member_pages import numbers_table, shown_record
from broadcaster.commands.options import MOST, asked, verb
from broadcaster.commands.output import answer, plain, table
from broadcaster.language import listed, tr
from subscribers import members, membership, numbers, records, transfers
from subscribers.actor import Right
from subscribers.errors import Invalid
from subscribers.importing.rows import read_standing
from subscribers.members import NewMember
from subscribers.models import Status

Id = Annotated[int, typer.Argument(max=MOST, metavar="ID", help=tr("The member's number: `members find` shows it."))]
On = Annotated[str | None, typer.Option(metavar="DATE", help=tr("From this day on; today if left out."))]
StatusOption = Annotated[
    str | None,
    typer.Option(metavar="STATUS", help=tr("in_service, retired, probationary or applicant; in Chinese, too.")),
]
Birthday = Annotated[str | None, typer.Option(metavar="DATE", help=tr("Like 1950-01-31."))]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help=tr("Several may be given."))]
Fields = Annotated[list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help=tr("A column of your own."))]
ExternalId = Annotated[str | None, typer.Option(metavar="ID", help=tr("The id in another system."))]
AwayPlace = Annotated[str | None, typer.Option(metavar="PLACE", help=tr("Lives away: where."))]
HostBranch = Annotated[str | None, typer.Option(metavar="BRANCH", help=tr("Lives away: who looks after them there."))]
Shared = Annotated[bool, typer.Option("--shared", help=tr("Two people share the handset."))]


def mount_membership(app: typer.Typer) -> None:
    """Give the noun these verbs."""
    verb(
        app,
        about=tr("Put one person on the list."),
        example="broadsheet members add 张伟 --organisation 东川/一支部 --number 13800002231 "
        '--agreed "signed form of 12 March"',
        needs=Right.REGISTER,
    )(add)
    verb(
        app,
        about=tr("Correct a member's data, or give them another status from a day on."),
        example="broadsheet members change 12 --status retired --on 2026-12-01\n"
        "broadsheet members change 12 --away-place 深圳 --host-branch 深圳流动支部\n"
        "broadsheet members change 12 --undo",
        needs=Right.REGISTER,
    )(change)
    verb(
        app,
        about=tr("Somebody is a member no more from a day on, or again."),
        example="broadsheet members leave 12 --on 2026-12-01\nbroadsheet members leave 12 --undo\n"
        "broadsheet members leave 12 --rejoin",
        needs=Right.REGISTER,
    )(leave)
    verb(
        app,
        about=tr("Everything about one member: data, numbers, what they want, and their history."),
        example="broadsheet members show 12",
        needs=Right.SEE,
    )(show)
    verb(
        app,
        name="numbers",
        about=tr("The numbers of a member: add one, remove one, say which is used."),
        example="broadsheet members numbers 12 --add 13800002231 --prefer 2231\n"
        "broadsheet members numbers 12 --remove 2231\n"
        "broadsheet members numbers 12 --operator 2231=unicom",
        needs=Right.REGISTER,
    )(numbers_)
    verb(
        app,
        about=tr("Numbers that nobody seems to have: list them, and say what you found out."),
        example="broadsheet members verify\nbroadsheet members verify 12 --number 2231 --ok\n"
        "broadsheet members verify 12 --number 2231 --gone",
        needs=Right.SEE,
    )(verify)
    verb(
        app,
        about=tr("Ask for a member to be moved to another organisation; the other side accepts."),
        example='broadsheet members transfer 12 --to "West City/Second Branch" --reason "moved house"',
        needs=Right.REGISTER,
    )(transfer)
    verb(
        app,
        about=tr("Erase a person's data for good. Whoever has their number by somebody else's word stays out."),
        example="broadsheet members forget 12",
        needs=Right.REGISTER,
    )(forget)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help=tr("The real name."))],
    organisation: Annotated[str, typer.Option(metavar="PATH", help=tr("Names with / between."))],
    number: Annotated[list[str] | None, typer.Option(metavar="NUMBER", help=tr("The first one is used."))] = None,
    status: StatusOption = None,
    away_place: AwayPlace = None,
    host_branch: HostBranch = None,
    birthday: Birthday = None,
    tag: Tags = None,
    field: Fields = None,
    external_id: ExternalId = None,
    joined_on: On = None,
    agreed: Annotated[
        str, typer.Option(metavar="EVIDENCE", help=tr("They have agreed to be sent to: how you know."))
    ] = "",
    shared: Shared = False,
) -> None:
    standing = read_standing(status) if status else None
    new = NewMember(
        name=name,
        organisation=organisation,
        status=standing.status if standing else Status.IN_SERVICE,
        mobile=standing.mobile if standing else False,
        away_place=away_place or "",
        host_branch=host_branch or "",
        numbers=number or [],
        birthday=read_day(birthday) if birthday else None,
        tags=tag or [],
        fields=_fields(field),
        external_id=external_id or "",
        joined_on=read_day(joined_on) if joined_on else None,
        agreed=agreed,
    )
    with opened() as house, house.begin() as tx:
        region = house.settings.paper.region
        key, on = house.secret, today(house, tx)
        made = members.register(tx.session, house.actor, new, key=key, shared=shared, region=region, on=on, now=tx.now)
    out = tr("{numbers}: the holder wants no paper, and stays out.", numbers=listed(made.still_out))
    told = tr("{name} is on the list as member {id}.", name=name, id=made.id)
    answer(plain(made), told, out if made.still_out else None, then=[f"broadsheet members show {made.id}"])


def change(
    member_id: Id,
    name: Annotated[str | None, typer.Option(metavar="NAME", help=tr("The real name."))] = None,
    status: StatusOption = None,
    away_place: AwayPlace = None,
    host_branch: HostBranch = None,
    at_home: Annotated[bool, typer.Option("--at-home", help=tr("Lives away no more."))] = False,
    birthday: Birthday = None,
    tag: Tags = None,
    field: Fields = None,
    external_id: ExternalId = None,
    on: On = None,
    undo: Annotated[bool, typer.Option("--undo", help=tr("Take the last change of status back."))] = False,
) -> None:
    standing = read_standing(status) if status else None
    mobile = False if at_home else True if standing and standing.mobile else None
    of_standing = status is not None or at_home or away_place is not None or host_branch is not None
    own = any(given is not None for given in (name, birthday, tag, field, external_id))
    if undo == (of_standing or own):
        raise Invalid("Say what shall be changed, or --undo and nothing else.", hint="--help shows what can be.")
    with opened() as house, house.begin() as tx:
        today_is = today(house, tx)
        if undo:
            membership.take_back(tx.session, house.actor, member_id, now=tx.now)
        if of_standing:
            membership.update_status(
                tx.session,
                house.actor,
                member_id,
                status=standing.status if standing else None,
                mobile=mobile,
                away_place=away_place,
                host_branch=host_branch,
                on=read_day(on) if on else today_is,
                now=tx.now,
            )
        if own:
            members.update(
                tx.session,
                house.actor,
                member_id,
                name=name,
                birthday=read_day(birthday) if birthday else None,
                tags=tag,
                fields=_fields(field) if field else None,
                external_id=external_id,
                on=today_is,
                now=tx.now,
            )
        record = records.show(tx.session, house.actor, member_id, zone=house.settings.zone, on=today_is, now=tx.now)
    undo_it = [f"broadsheet members change {member_id} --undo"] if of_standing else []
    answer(plain(record), *shown_record(record, today_is), then=undo_it)


def leave(
    member_id: Id,
    on: On = None,
    rejoin: Annotated[bool, typer.Option("--rejoin", help=tr("They are a member again."))] = False,
    undo: Annotated[bool, typer.Option("--undo", help=tr("It was a mistake: they never left."))] = False,
) -> None:
    if rejoin and undo:
        raise Invalid("Either they come back, or they never left.", hint="Write --rejoin or --undo.")
    with opened() as house, house.begin() as tx:
        day = read_day(on) if on else today(house, tx)
        if undo:
            membership.take_back(tx.session, house.actor, member_id, now=tx.now)
        else:
            act = membership.rejoin if rejoin else membership.leave
            act(tx.session, house.actor, member_id, on=day, now=tx.now)
    if undo:
        told = tr("Member {id} is as before.", id=member_id)
    elif rejoin:
        told = tr("Member {id} is a member again from {day} on.", id=member_id, day=day)
    else:
        told = tr("Member {id} is a member no more from {day} on.", id=member_id, day=day)
    then = [] if undo or rejoin else [f"broadsheet members leave {member_id} --undo"]
    answer({"id": member_id, "on": day}, told, then=then)


def show(
    member_id: Id,
    full_numbers: Annotated[bool, typer.Option("--full-numbers", help=tr("Do not mask numbers; it is noted."))] = False,
) -> None:
    with opened() as house, house.showing(full_numbers=full_numbers) as tx:
        on = today(house, tx)
        record = records.show(
            tx.session, house.actor, member_id, full_numbers=full_numbers, zone=house.settings.zone, on=on, now=tx.now
        )
    answer(plain(record), *shown_record(record, on))


def numbers_(
    member_id: Id,
    add: Annotated[str | None, typer.Option(metavar="NUMBER", help=tr("One more number."))] = None,
    remove: Annotated[str | None, typer.Option(metavar="NUMBER", help=tr("In full, or its last four digits."))] = None,
    prefer: Annotated[str | None, typer.Option(metavar="NUMBER", help=tr("Use this one from now on."))] = None,
    operator: Annotated[
        str | None,
        typer.Option(metavar="NUMBER=NAME", help=tr("Whose network it is in: mobile, unicom, telecom, broadnet.")),
    ] = None,
    shared: Shared = False,
) -> None:
    if add is None and remove is None and prefer is None and operator is None:
        raise Invalid(
            "Say what shall be done.", hint="Write --add, --remove, --prefer or --operator; `members show` lists them."
        )
    with opened() as house, house.begin() as tx:
        if add is not None:
            numbers.add_number(
                tx.session,
                house.actor,
                member_id,
                add,
                region=house.settings.paper.region,
                shared=shared,
                now=tx.now,
            )
        if prefer is not None:
            numbers.prefer_number(tx.session, house.actor, member_id, prefer, now=tx.now)
        if operator is not None:
            number, _, name = operator.partition("=")
            numbers.set_operator(tx.session, house.actor, member_id, number, name.strip(), now=tx.now)
        if remove is not None:
            numbers.remove_number(tx.session, house.actor, member_id, remove, now=tx.now)
        record = records.show(
            tx.session, house.actor, member_id, zone=house.settings.zone, on=today(house, tx), now=tx.now
        )
    document = {"id": member_id, "numbers": plain(record)["numbers"]}
    answer(document, numbers_table(record) if record.numbers else tr("There is none."))


def verify(
    member_id: Annotated[int | None, typer.Argument(max=MOST, metavar="[ID]", help=tr("The member's number."))] = None,
    number: Annotated[str | None, typer.Option(metavar="NUMBER", help=tr("In full, or its last four digits."))] = None,
    ok: Annotated[bool, typer.Option("--ok", help=tr("It is right: use it again."))] = False,
    gone: Annotated[bool, typer.Option("--gone", help=tr("It is theirs no more: remove it."))] = False,
    limit: Annotated[int, typer.Option(min=1, help=tr("At most so many."))] = 100,
) -> None:
    if member_id is None:
        _list_to_verify(limit)
        return
    if number is None or ok == gone:
        raise Invalid("Say which number, and what about it.", hint="Write --number, and either --ok or --gone.")
    with opened(needs=Right.REGISTER) as house, house.begin() as tx:
        numbers.verify(tx.session, house.actor, member_id, number, ok=ok, now=tx.now)
    told = tr("The number is used again.") if ok else tr("The number is removed.")
    answer({"id": member_id, "ok": ok}, told)


def transfer(
    member_id: Id,
    to: Annotated[str, typer.Option(metavar="PATH", help=tr("To this organisation: names with / between."))],
    name: Annotated[
        str, typer.Option(metavar="NAME", help=tr("Their name, if they are to come to you from another part."))
    ] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help=tr("What the other side should know."))] = "",
    days: Annotated[int, typer.Option(metavar="DAYS", help=tr("The other side has so many days."))] = transfers.DAYS,
) -> None:
    with opened() as house, house.begin() as tx:
        on = today(house, tx)
        made = transfers.ask(
            tx.session, house.actor, member_id, to, name=name, reason=reason, days=days, on=on, now=tx.now
        )
        document = {"id": made.id, "state": made.state, "expires_at": made.expires_at}
    told = tr("Transfer {id} is asked for. Until the other side accepts, everything stays as it is.", id=made.id)
    answer(document, told, then=["broadsheet transfers list", f"broadsheet transfers withdraw {made.id}"])


def forget(
    member_id: Id,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Do not ask for the name."))] = False,
) -> None:
    with opened() as house:
        with house.reading() as tx:
            record = records.show(tx.session, house.actor, member_id, on=today(house, tx), now=tx.now)
        if not yes:
            if asked().json:
                raise Invalid("This cannot be undone.", hint="Write --yes if it is meant.")
            question = tr("This cannot be undone. Type the name of member {id} to go on", id=member_id)
            try:
                typed = typer.prompt(question, err=True)
            except typer.Abort:
                typed = ""
            if "".join(typed.split()) != "".join(record.name.split()):
                raise Invalid("This is not the name of member {id}. Nothing was changed.", id=member_id)
        with house.begin() as tx:
            key = house.secret
            forgetting.forget(tx.session, house.actor, member_id, key=key, on=today(house, tx), now=tx.now)
    told = tr("Member {id} is forgotten. Backups and spreadsheets of yours are not reached from here.", id=member_id)
    answer({"forgotten": member_id}, told)


def _list_to_verify(limit: int) -> None:
    with opened(needs=Right.SEE) as house, house.reading() as tx:
        found = numbers.to_verify(tx.session, house.actor, limit=limit)
        zone = house.settings.zone
    headings = (tr("id"), tr("name"), tr("number"), tr("since"), tr("not known in a row"))
    rows = [
        (one.member_id, one.name, one.msisdn, one.suspended_at.astimezone(zone).date(), one.unknown_in_a_row)
        for one in found
    ]
    then = [f"broadsheet members verify {found[0].member_id} --number {found[0].msisdn[-4:]} --ok"] if found else []
    shown = table(*headings, rows=rows, right=(4,)) if found else tr("No number waits to be verified.")
    answer({"numbers": [plain(one) for one in found]}, shown, then=then)


def _fields(given: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or []]
    if any(not equals or not name.strip() for name, equals, _ in pairs):
        raise Invalid("--field is written NAME=VALUE.", hint="For example --field 职务=组长.")
    return {name.strip(): value.strip() for name, _, value in pairs}
