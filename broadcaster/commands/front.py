"""The front door: finds the room of a noun, opens it only when it is asked for, and tells what went wrong."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from broadcaster import VERSION
from broadcaster.commands.options import Config, Debug, Json, Lang, StandIn, asked, begin_anew, take
from broadcaster.commands.output import aside
from broadcaster.commands.pages import Room
from broadcaster.commands.program import remember, typed_again, unknown_language, wished_language, without_language
from broadcaster.commands.usage import misuse
from broadcaster.language import msgid, set_language, tell, tr, translated
from broadcaster.program import program, typed
from subscribers.errors import BroadsheetError, Invalid, Unavailable

_START = tr("To begin with")
_WORKS = tr("Who works here")
_WHO = tr("Who reads")
_WHAT = tr("What is sent")
_HOW = tr("How it goes out")

#: noun -> panel of the help page, and what it is for. Its verbs are in the module of the same name
NOUNS = {
    "demo": (_START, msgid("A whole newspaper, from registry to receipt, on a simulated carrier.")),
    "init": (_START, msgid("Create the database, or bring it up to date.")),
    "doctor": (_START, msgid("Check the installation, and say what to do.")),
    "login": (_WORKS, msgid("Sign in, or see who is signed in.")),
    "logout": (_WORKS, msgid("Sign out.")),
    "users": (_WORKS, msgid("Who may do what: add, list, change, disable, give a new password.")),
    "audit": (_WORKS, msgid("Who did what that somebody may have to answer for.")),
    "members": (_WHO, msgid("The people on the list: import, export, find, add, change, forget ...")),
    "transfers": (_WHO, msgid("Members on their way to another organisation: list, accept, refuse, withdraw.")),
    "admissions": (_WHO, msgid("People who asked to join by SMS: list, accept, refuse.")),
    "organisations": (_WHO, msgid("The tree of organisations: show, change, import.")),
    "segments": (_WHO, msgid("Audiences by rule: count, show, save, list.")),
    "lists": (_WHO, msgid("Lists of people, to be named in rules.")),
    "consent": (_WHO, msgid("Who wants the paper and who does not, and how that is known.")),
    "editions": (_WHAT, msgid("Numbered issues of the paper: import, list, show, preview.")),
    "campaigns": (_WHAT, msgid("Sends: create, check, send, watch, pause, abort ...")),
    "replies": (_WHAT, msgid("What members wrote: list, answer, close.")),
    "report": (_WHAT, msgid("What became of it: campaigns, replies, cost.")),
    "gateways": (_HOW, msgid("The ways out: list them, hold the connection of one.")),
    "simulate": (_HOW, msgid("A carrier to rehearse against: nothing that it accepts reaches a phone.")),
    "up": (_HOW, msgid("Run everything in this process.")),
    "worker": (_HOW, msgid("Serve queues, as one process of several.")),
    "beat": (_HOW, msgid("Give the ticks of a scaled-out installation.")),
}


class Front(Room):
    """The nouns, each read from its file when it is used."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The nouns whose rooms are there, in the order of the help page."""
        return [noun for noun in NOUNS if importlib.util.find_spec(f"{__package__}.{noun}")]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """A noun as the help page shows it, without opening its room."""
        if cmd_name not in self.list_commands(ctx):
            return None
        panel, about = NOUNS[cmd_name]
        return TyperCommand(cmd_name, help=translated(about), rich_help_panel=panel, rich_markup_mode="rich")

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The noun itself, with its verbs."""
        # for the nearest name, if this one is wrong
        self.commands = {noun: TyperCommand(noun) for noun in self.list_commands(ctx)}
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name and found else found, rest

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *given: Any, **extra: Any) -> Any:
        """Run it, and end with the exit code; whatever goes wrong is told in one way."""
        arguments = sys.argv[1:] if args is None else list(args)
        begin_anew()
        set_language(wished_language(arguments))
        remember(arguments)
        as_json = "--json" in arguments
        extra["standalone_mode"] = False
        if other := unknown_language(arguments):
            message = tr("There is no language {name}.", name=other)
            sys.exit(_complain(message, tr("Write --lang zh or --lang en."), Invalid.exit_code, as_json=as_json))
        try:
            code = super().main(without_language(arguments), prog_name or program(), *given, **extra)
        except typer.TyperException as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                # the help page has been shown
                sys.exit(error.exit_code)
            code = _complain(*misuse(error), error.exit_code, as_json=as_json)
        except Exception as error:
            code = _explain(error, as_json=as_json)
        if code == _INTERRUPTED:
            told = tr(
                "Interrupted. What was finished is kept, of a file half read nothing; "
                "whatever was started can be gone on with."
            )
            code = _complain(told, "", _INTERRUPTED, as_json=as_json)
        sys.exit(code or 0)


#: as shells count it: 128 and the number of SIGINT
_INTERRUPTED = 130


def load(noun: str) -> Any:
    """The command of a noun, from its file."""
    command: Any = typer.main.get_command(importlib.import_module(f"{__package__}.{noun}").app)
    about = translated(NOUNS[noun][1])
    # a noun whose verbs are asked for by name explains that to whoever reads its code
    command.name, command.help = noun, about if isinstance(command, Room) else command.help or about
    return command


def _explain(error: Exception, *, as_json: bool) -> int:
    """One line for anything that can go wrong, and what to do about it."""
    if asked().debug:
        traceback.print_exception(error)
    known = _known(error)
    if known is not None:
        message, hint = tell(known)
        return _complain(message, hint, known.exit_code, as_json=as_json)
    message = tr("Something unexpected happened: {kind}: {detail}.", kind=type(error).__name__, detail=str(error))
    return _complain(message, tr("Run it again with --debug, and report what it shows."), 1, as_json=as_json)


def _known(error: Exception) -> BroadsheetError | None:
    """The error as one that can be told: what the system and the database say, too."""
    if isinstance(error, BroadsheetError):
        return error
    if isinstance(error, OSError) and error.filename:
        return Unavailable(
            "{path} cannot be used: {detail}.",
            hint="Check the name, the rights and the free space.",
            path=str(error.filename),
            detail=error.strerror or type(error).__name__,
        )
    # only what was imported can have raised it
    if "sqlalchemy.exc" in sys.modules:
        from sqlalchemy.exc import DBAPIError

        from subscribers.trouble import in_words

        if isinstance(error, DBAPIError):
            told = in_words(error)
            return told if isinstance(told, BroadsheetError) else None
    return None


def _complain(message: str, hint: str, code: int, *, as_json: bool) -> int:
    if as_json:
        message, hint = typed_again(message), typed_again(hint)
        sys.stdout.write(json.dumps({"error": message, "hint": hint}, ensure_ascii=False) + "\n")
    else:
        for sentence in filter(None, (message, hint)):
            aside(sentence)
    return code


app = typer.Typer(
    cls=Front,
    name="broadsheet",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=tr("Prints a newspaper on people's phones, follows it to their receipts, and takes in their answers."),
    epilog=typed(
        tr("Begin with `broadsheet demo`, or with your own list: `broadsheet init`, `broadsheet members import FILE`.")
    ),
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"broadsheet {VERSION}\n")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_tell_version, is_eager=True, help=tr("Show the version and exit."))
]


@app.callback()
def front(
    config: Config = None,
    json: Json = False,
    lang: Lang = None,
    stand_in: StandIn = "",
    debug: Debug = False,
    version: Version = False,
) -> None:
    """Options may stand before the noun as well."""
    take({"config": config, "json": json, "debug": debug, "stand_in": stand_in})
