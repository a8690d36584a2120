"""Every verb under --json: exactly one document, with the keys that programs hold on to."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from broadcaster.commands.front import NOUNS
from tests.commands.conftest import Desk, make_desk, staff
from tests.databases import SqliteTemplate
from tests.factories import generated_msisdn

#: verb -> what to type after it, and keys of its document at least; in an order in which one makes what the next needs
VERBS: dict[str, tuple[str, str]] = {
    "init": ("", "revision"),
    "doctor": ("", "ok checks"),
    "login": ("", "users must_change"),
    "logout": ("", "signed_in"),
    "users add": ("helper --role viewer", "users password"),
    "users list": ("", "users"),
    "users change": ("helper --role editor", "users"),
    "users password": ("helper", "users password"),
    "users new-phone": ("helper", "users"),
    "users disable": ("helper", "users"),
    "audit list": ("", "audit"),
    "members import": ("people.csv", "rows created updated unchanged refused import_id"),
    "members undo": ("2 --yes", "restored"),
    "members export": ("out.csv", "rows"),
    "members find": ("李", "members"),
    "organisations tree": ("--depth 2 --counts", "organisations"),
    "organisations add": ("三支部 --under 东川 --kind branch", "id names kind"),
    "organisations rename": ("东川/三支部 港口支部", "id names"),
    "organisations kind": ("东川/港口支部 支部", "kind"),
    "organisations close": ("东川/港口支部", "closed_on members organisations"),
    "organisations reopen": ("东川/港口支部", "closed_on"),
    "organisations move": ("东川/港口支部 --under 东川/一支部", "moved"),
    "organisations import": ("tree.csv", "rows created updated unchanged refused import_id"),
    "organisations undo": ("3", "removed"),
    "segments count": ("retired", "members reachable"),
    "segments save": ("elders retired", "name"),
    "segments list": ("", "segments"),
    "segments show": ("elders", "members reachable people"),
    "segments remove": ("elders", "name"),
    "lists save": ("delegates --id 1", "name members unknown"),
    "lists list": ("", "lists"),
    "lists remove": ("delegates", "name"),
    "consent import": ("wishes.csv", "rows refused import_id"),
    "consent undo": ("4", "rows"),
    "consent export": ("wishes-out.xlsx", "rows"),
    "consent history": ("19900000001", "msisdn evidence"),
    "consent out": ("19900000002 --wording R --topic 要闻", "msisdn wish topic"),
    "consent in": ("19900000002 --wording signed --topic 要闻", "msisdn wish topic"),
    "editions import": ("edition.toml", "number"),
    "editions list": ("", "editions"),
    "editions show": ("7", "variants"),
    "editions preview": ("7", "variants"),
    "campaigns create": ("--edition 7 --to everyone", "id"),
    "campaigns list": ("", "campaigns"),
    "campaigns check": ("1", "recipients skipped parts cost warnings"),
    "campaigns schedule": ("1 --at 2099-01-01T10:00", "state"),
    "campaigns send": ("1 --confirm 3", "state"),
    "campaigns watch": ("1 --until closed --timeout 30", "state recipients skipped messages parts in_flight"),
    "campaigns show": ("1", "state recipients skipped messages parts in_flight"),
    "campaigns messages": ("1", "messages"),
    "campaigns trace": ("1 1", "name msisdn state reason attempt parts"),
    "campaigns resend": ("1 --failed --confirm 0", "resent"),
    "campaigns settle": ("1 --as-sent --confirm 0", "settled"),
    "campaigns pause": ("2", "state in_flight cancelled"),
    "campaigns resume": ("2", "state in_flight cancelled"),
    "campaigns abort": ("2", "state in_flight cancelled"),
    "gateways list": ("", "gateways"),
    "gateways test": ("simulator --to 19900000001", "steps"),
    "gateways profile": (
        "simulator --set price=0.06 --from 2027-01-01",
        "gateway on profile since to_come history",
    ),
    "replies list": ("", "replies"),
    "replies answer": ("1 谢谢", "id state"),
    "replies close": ("1", "id state"),
    "replies doubts": ("", "doubts"),
    "replies settle": ("--as-sent --confirm 0", "settled"),
    "report campaign": ("", "rows"),
    "report replies": ("", "rows"),
    "report cost": ("", "rows"),
    "members add": ("读者新 --organisation 东川/一支部 --number 19900000077 --agreed signed", "id still_out"),
    "members change": ("5 --away-place 深圳", "id name organisation status mobile away_place numbers history"),
    "members numbers": ("5 --add 19900000078 --prefer 0078", "id numbers"),
    "members verify": ("", "numbers"),
    "members show": ("5", "id name organisation status mobile numbers history"),
    "members transfer": ("5 --to 东川/二支部", "id state"),
    "transfers list": ("", "transfers"),
    "transfers accept": ("1", "id state effective_on"),
    "transfers refuse": ("2", "id state"),
    "transfers withdraw": ("3", "id state"),
    "members leave": ("5", "id on"),
    "admissions list": ("--state waiting", "admissions"),
    "admissions accept": ("1 --organisation 东川/二支部", "id state member still_out"),
    "admissions refuse": ("2", "id state"),
    "members forget": ("5 --yes", "forgotten"),
}
#: they serve until they are asked to end: `test_journey` and `test_serving` have them; the demo has tests of its own
SERVING = {"up", "worker", "beat", "gateways run", "simulate smpp", "demo"}


def verbs() -> list[str]:
    """Every verb there is, from the command line itself."""
    found = []
    for noun in NOUNS:
        app: typer.Typer = importlib.import_module(f"broadcaster.commands.{noun}").app
        command: Any = typer.main.get_command(app)
        found += [f"{noun} {verb}" for verb in command.commands] if hasattr(command, "commands") else [noun]
    return found


def test_the_table_has_every_verb() -> None:
    assert set(verbs()) == VERBS.keys() | SERVING


@pytest.fixture(scope="module")
def worked(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: SqliteTemplate
) -> Iterator[tuple[Desk, dict[str, Any]]]:
    """All verbs typed one after the other, and what each answered."""
    desk = staff(make_desk(tmp_path_factory.mktemp("desk")), sqlite_template)
    answers = {}
    for verb, (words, _) in VERBS.items():
        if verb == "campaigns pause":
            second_campaign(desk)
        if verb == "replies answer":
            letter(desk)
        if verb in ("transfers refuse", "transfers withdraw"):
            assert desk.type("members", "transfer", 1, "--to", "东川/二支部").code == 0
        if verb == "admissions list":
            letter(desk, "加入 无名氏", "m2")
            letter(desk, "加入 无名女士", "m3")
        # the verbs before pause send what they made; this one must stay where it is
        answers[verb] = desk.type(*verb.split(), *words.split(), "--json")
    yield desk, answers


def second_campaign(desk: Desk) -> None:
    made = desk.type("campaigns", "create", "--text", "您好", "--to", "everyone", "--json")
    assert made.document["id"] == 2
    assert desk.type("campaigns", "send", 2, "--confirm", 3).code == 0


def letter(desk: Desk, text: str = "几点？\x1b[31m", message_id: str = "m1") -> None:
    """One letter, as a gateway would bring it."""
    from broadcaster.gateways.events import InboundMessage
    from broadcaster.replies import receive, router
    from broadcaster.runtime import make_runtime
    from broadcaster.settings import load

    runtime = make_runtime(load(desk.folder / "broadsheet.toml", data=desk.folder / "data"))
    message = InboundMessage(
        gateway="simulator",
        message_id=message_id,
        msisdn=generated_msisdn(1),
        destination="1069",
        text=text,
        raw="",
    )
    with runtime.begin() as tx:
        receive.store(tx.session, [message], now=tx.now)
    with runtime.begin() as tx:
        assert router.route(tx.session, runtime.desk(tx), now=tx.now) == 1
    runtime.close()


def test_one_document_with_its_keys(worked: tuple[Desk, dict[str, Any]]) -> None:
    # one test: spread over the processes of a run, each of them would type everything first
    wrong = []
    for verb, typed in worked[1].items():
        if typed.code or typed.out.count("\n") != 1:
            wrong.append(f"{verb}: {typed.code} {typed.out}{typed.err}")
        elif missing := set(VERBS[verb][1].split()) - json.loads(typed.out).keys():
            wrong.append(f"{verb} does not tell {missing}")
    assert not wrong, "\n".join(wrong)
    assert worked[1].keys() == VERBS.keys()


def test_what_the_documents_say(worked: tuple[Desk, dict[str, Any]]) -> None:
    said = {verb: typed.document for verb, typed in worked[1].items()}
    assert said["members import"]["unchanged"] == 4
    assert said["members find"]["members"][0]["msisdn"] == "199****0001"
    assert said["segments count"] == {"members": 1, "reachable": 1}
    assert [(v["name"], v["recipients"]) for v in said["editions preview"]["variants"]] == [
        ("retired", 1),
        ("everyone", 2),
    ]
    assert said["editions preview"]["variants"][0]["parts"] == {"min": 1, "median": 1, "max": 1}
    assert "体检" in said["editions preview"]["variants"][0]["text"]
    assert said["campaigns check"]["cost"] == "0.15"
    assert said["campaigns check"]["skipped"] == {"opted_out": 1}
    assert said["campaigns watch"]["state"] == "closed"
    assert {one["state"] for one in said["campaigns messages"]["messages"]} == {"delivered", "skipped"}
    assert said["campaigns abort"] | {"id": 0} == {"id": 0, "state": "cancelled", "in_flight": 0, "cancelled": 0}
    assert said["replies list"]["replies"] == []
    assert said["replies answer"]["state"] == "answered"
    assert said["report campaign"]["rows"][-1]["delivered"] == 3


def test_a_message_is_followed_to_its_receipts(worked: tuple[Desk, dict[str, Any]]) -> None:
    desk, said = worked
    (receipt,) = said["campaigns trace"].document["parts"][0]["receipts"]
    assert (receipt["state"], "raw" in receipt) == ("delivered", False)
    full = desk.type("campaigns", "trace", "1", "1", "--full-numbers", "--json").document
    (part,) = full["parts"]
    assert full["msisdn"] == "+8619900000001" and part["provider_id"] in part["receipts"][0]["raw"]
    masked, whole = (desk.type("campaigns", "trace", "1", "1", *more).out for more in ((), ("--full-numbers",)))
    assert "which calls it" in masked and "receipt: delivered" in masked
    assert ("199****0001" in masked, full["msisdn"] in masked) == (True, False)
    assert full["msisdn"] in whole and '"event":' in whole
    deeds = [each["deed"] for each in desk.type("audit", "list", "--json").document["audit"]]
    assert deeds.count("campaigns.trace") == 2
    skipped = [one["member"] for one in said["campaigns messages"].document["messages"] if one["state"] == "skipped"]
    assert "No part of it was ever written." in desk.type("campaigns", "trace", "1", str(skipped[0])).out
    assert desk.type("campaigns", "trace", "1", "999").code == 1


def test_a_campaign_of_which_nothing_reached_a_phone_says_so(worked: tuple[Desk, dict[str, Any]]) -> None:
    desk, said = worked
    assert said["campaigns watch"].document["rehearsed"] is True
    draft = desk.type("campaigns", "create", "--text", "您好", "--to", "everyone", "--json").document["id"]
    listed = {one["id"]: one["rehearsed"] for one in desk.type("campaigns", "list", "--json").document["campaigns"]}
    assert (listed[1], listed[draft]) == (True, False), "what was only drafted was not rehearsed"
    lines = desk.type("campaigns", "list").out.splitlines()
    assert [line for line in lines if "closed · rehearsal" in line]
    assert "closed · rehearsal" in desk.type("campaigns", "show", 1).out
    assert desk.type("report", "campaign", 1, "--json").document["rows"][0]["rehearsed"] is True
    assert "closed · rehearsal" in desk.type("report", "campaign", 1).out
    assert "已结束 · 演练" in desk.type("campaigns", "show", 1, BROADSHEET_LANG="zh").out


def test_options_stand_before_the_verb_as_well(staffed: Desk) -> None:
    assert staffed.type("--json", "segments", "list").document == {"segments": []}
    assert staffed.type("--config", "broadsheet.toml", "segments", "list", "--json").code == 0
    other = staffed.write("other.toml", '[gateways.elsewhere]\nkind = "simulator"\n')
    for words in (["--config", other, "gateways", "list"], ["gateways", "list", "--config", other]):
        assert [one["name"] for one in staffed.type(*words, "--json").document["gateways"]] == ["elsewhere"]


def test_an_error_is_one_document_too(staffed: Desk) -> None:
    typed = staffed.type("campaigns", "show", 9, "--json")
    assert typed.code == 1
    assert typed.document == {
        "error": "There is no campaign 9.",
        "hint": "`broadsheet campaigns list` shows them.",
    }
    assert staffed.type("campaigns", "show", "--json").document["error"] == "ID is missing."


def test_control_characters_of_others_do_not_reach_the_terminal(worked: tuple[Desk, dict[str, Any]]) -> None:
    typed = worked[0].type("replies", "list")
    assert "几点？␛[31m" in typed.out
    assert "\x1b" not in typed.out


def test_a_csv_file_is_safe_to_open(worked: tuple[Desk, dict[str, Any]]) -> None:
    file = worked[0].folder / "messages.csv"
    assert worked[0].type("campaigns", "messages", 1, "--csv", file, "--full-numbers").code == 0
    first = Path(file).read_text("utf-8-sig").splitlines()[1]
    assert first.startswith("李一,'+8619900000001,delivered")
