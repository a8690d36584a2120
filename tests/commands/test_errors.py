"""Bad input, as a table: one clear line, what to do, the exit code, and nothing half done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from broadcaster.commands.output import aside
from tests.commands.conftest import EDITION, PEOPLE, Desk
from tests.commands.test_documents import letter

#: what to type in an installation with a registry, the exit code, and what must be said
BAD = [
    ("campaigns show 99", 1, "There is no campaign 99.", "campaigns list"),
    ("campaigns watch 99", 1, "There is no campaign 99.", "campaigns list"),
    ("editions show 99", 1, "There is no edition 99.", "editions list"),
    ("replies close 99", 1, "There is no letter 99.", "replies list"),
    ("members undo 99", 1, "There is no import 99.", ""),
    ("organisations tree 无此", 1, "There is no organisation 无此.", ""),
    ("members import missing.csv", 2, "missing.csv cannot be read", "Check the name"),
    ("members import people.csv --map 手机", 2, "--map is written HEADING=FIELD.", "联系电话=msisdn"),
    ("members import people.csv --map 手机=nothing", 2, "手机 cannot be read as nothing.", "Fields are"),
    ("members import broken.csv", 2, "no row of headings", "姓名"),
    ("members export no/such/folder.csv", 1, "cannot be written", "Check the folder"),
    ("editions import utf16.toml", 2, "written in UTF-16", "UTF-8"),
    ("editions import missing.toml", 1, "missing.toml cannot be used", "Check the name"),
    ("segments count retird", 2, "retird", ""),
    ("segments count retired --as-of tomorrow", 2, "tomorrow is no day.", "2026-11-25"),
    ("segments save everyone retired", 2, "everyone is built in", "another name"),
    ("gateways profile none", 1, "There is no gateway none.", "simulator"),
    ("gateways profile simulator --set price", 2, "--set is written KEY=VALUE.", "price=0.048"),
    ("gateways profile simulator --set pric=1", 2, "pric: unknown key. Did you mean price?", "docs/configuration.md"),
    (
        "gateways profile simulator --set sending_window=25:00-26:00",
        2,
        "is no time of the day",
        "docs/configuration.md",
    ),
    ("gateways profile simulator --set price=1 --undo", 2, "Either --set or --undo.", "Take back first"),
    ("gateways profile simulator --set price=1 --from soon", 2, "soon is no day.", "2026-11-25"),
    ("gateways profile simulator --undo", 1, "Nothing is set in the profile of simulator", "--history"),
    ("campaigns create --text {{nme}} --to everyone", 2, "nme", "name"),
    ("campaigns create --text hi --to retird", 2, "retird", ""),
    ("campaigns create --text hi --edition 7 --to everyone", 2, "exactly one content", "--text"),
    ("campaigns create --to everyone", 2, "exactly one content", "--text"),
    ("campaigns create --text hi --to everyone --gateway none", 2, "There is no gateway none.", "simulator"),
    ("campaigns create --text hi --to everyone --at noon", 2, "noon is no time.", "2026-11-25 10:00"),
    ("campaigns create --text hi --to everyone --field a=b", 2, "--field fills", "--template"),
    ("campaigns create --template notise --to everyone", 1, "There is no template notise", "notice"),
    ("campaigns create --template notice --field text --to everyone", 2, "KEY=VALUE", ""),
    ("gateways run none", 1, "There is no gateway none.", "simulator"),
    ("worker", 1, "embedded", "broadsheet up"),
    ("beat", 1, "embedded", "broadsheet up"),
    ("replies list --state lost", 2, "There is no state lost.", "answered"),
    ("report cost --from never", 2, "never is no day.", ""),
    ("report campaign --under 无此", 1, "There is no organisation 无此.", ""),
]


@pytest.mark.parametrize(("line", "code", "message", "hint"), BAD, ids=lambda value: str(value)[:40])
def test_each_is_told(staffed: Desk, line: str, code: int, message: str, hint: str) -> None:
    staffed.write("utf16.toml", EDITION.encode("utf-16"))
    staffed.write("broken.csv", "a,b\n1,2\n")
    typed = staffed.type(*line.split())
    assert (typed.code, typed.out) == (code, "")
    assert message in typed.err
    assert hint in typed.err
    assert "Traceback" not in typed.err
    assert staffed.type("campaigns", "list", "--json").document == {"campaigns": []}


def test_a_misspelt_key(desk: Desk) -> None:
    desk.write("broadsheet.toml", '[paper]\nnam = "x"\n')
    typed = desk.type("campaigns", "list")
    assert typed.code == 2
    assert "paper.nam: unknown key. Did you mean name?" in typed.err


@pytest.mark.parametrize(
    ("config", "english", "chinese"),
    [
        ('[paper]\nnmae = "x"', "paper.nmae: unknown key. Did you mean name?", "paper.nmae：没有这个键。"),
        ("[paper]\nname = 3", "paper.name: must be text in quotes.", "paper.name：必须是引号里的文字。"),
        ('[paper]\ntime_zone = "Mars/X"', "paper.time_zone: there is no such time zone", "没有这个时区"),
        ('[routes]\nquota_per_day = "x"', "routes.quota_per_day: must be a whole number.", "必须是整数。"),
        ('[gateways.a]\nkind = "simulator"\nfailed = 2', "failed: must be at most 1", "failed：不能大于 1"),
        ("[keeping]\ntexts = 150", "keeping.texts: must be at least 180 where region is CN", "至少要填 180"),
    ],
)
def test_wrong_settings_in_both_languages(desk: Desk, config: str, english: str, chinese: str) -> None:
    desk.write("broadsheet.toml", config)
    assert english in desk.type("gateways", "list").err
    # the colon is ours, in either language
    assert chinese.split("：")[-1] in desk.type("gateways", "list", "--lang", "zh").err


def test_a_database_that_was_never_set_up(desk: Desk) -> None:
    typed = desk.type("campaigns", "list", BROADSHEET_STORE__URL=f"sqlite:///{desk.folder}/other.db")
    assert (typed.code, "Run `broadsheet init`." in typed.err) == (1, True)


def test_the_embedded_default_sets_itself_up(desk: Desk) -> None:
    assert "is made when it is first used" in desk.type("doctor", "--json").out
    assert desk.type("campaigns", "list", "--json").document == {"campaigns": []}


def test_a_database_that_is_down(desk: Desk) -> None:
    down = {"BROADSHEET_STORE__URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    for words in (["campaigns", "list"], ["init"], ["up", "--port", "0"]):
        typed = desk.type(*words, **down)
        assert (typed.code, typed.out) == (1, "")
        assert "The database does not answer" in typed.err
    checks = {check["name"]: check["ok"] for check in desk.type("doctor", "--json", **down).document["checks"]}
    assert (checks["configuration"], checks["database"]) == (True, False)


def test_a_data_directory_that_cannot_be(desk: Desk) -> None:
    desk.write("file", "")
    typed = desk.type("init", BROADSHEET_DATA=str(desk.folder / "file" / "data"))
    assert typed.code == 1
    assert "The data directory" in typed.err
    assert "BROADSHEET_DATA" in typed.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_may_only_be_read(staffed: Desk) -> None:
    data = staffed.folder / "data"
    for path in [*data.iterdir(), data]:
        path.chmod(0o555)
    try:
        typed = staffed.type("segments", "save", "a", "retired")
        assert (typed.code, typed.out) == (1, "")
        assert "cannot be written" in typed.err
        assert staffed.type("doctor").code == 1
    finally:
        data.chmod(0o755)
        for path in data.iterdir():
            path.chmod(0o644)


def test_a_queue_that_is_down(desk: Desk) -> None:
    desk.type("init")
    document = desk.type("doctor", "--json", BROADSHEET_QUEUE__URL="redis://127.0.0.1:1/0").document
    (queue,) = [check for check in document["checks"] if check["name"] == "queue"]
    assert not queue["ok"]
    assert "The queue does not answer" in queue["found"]


def test_a_queue_that_answers(desk: Desk, redis_url: str) -> None:
    desk.type("init")
    assert desk.type("doctor", "--json", BROADSHEET_QUEUE__URL=redis_url).document["ok"]


def test_the_wrong_number_starts_nothing(staffed: Desk, draft: Callable[..., int]) -> None:
    number = draft()
    typed = staffed.type("campaigns", "send", number, "--confirm", 4)
    assert typed.code == 1
    assert "the recipients are 3, you typed 4. Nothing was sent." in typed.err
    assert staffed.type("campaigns", "show", number, "--json").document["state"] == "draft"


def test_a_dry_run_starts_nothing(staffed: Desk, draft: Callable[..., int]) -> None:
    number = draft()
    assert staffed.type("campaigns", "send", number, "--confirm", 3, "--dry-run").code == 0
    assert staffed.type("campaigns", "send", number, "--confirm", 2, "--dry-run").code == 1
    assert staffed.type("campaigns", "show", number, "--json").document["state"] == "draft"


def test_an_empty_audience(staffed: Desk, draft: Callable[..., int]) -> None:
    number = draft(to="age >= 99")
    checked = staffed.type("campaigns", "check", number)
    assert checked.code == 1
    assert "Nobody would receive this" in checked.out
    assert staffed.type("campaigns", "send", number, "--confirm", 0).code == 1


@pytest.mark.parametrize(
    ("text", "told"), [("{% if not name %}a{% endif %}", "is empty"), ("很长" * 400, "parts; the carrier")]
)
def test_a_text_that_comes_out_empty_or_too_long(
    staffed: Desk, draft: Callable[..., int], text: str, told: str
) -> None:
    number = draft(text)
    typed = staffed.type("campaigns", "check", number, "--json")
    assert typed.code == 1
    assert any(told in sentence for sentence in typed.document["blocking"])


def test_a_campaign_sent_twice(staffed: Desk, draft: Callable[..., int]) -> None:
    number = draft()
    assert staffed.type("campaigns", "send", number, "--confirm", 3).code == 0
    again = staffed.type("campaigns", "send", number, "--confirm", 3)
    assert (again.code, "Campaign 1 is preparing already." in again.err) == (1, True)


def test_watching_a_draft(staffed: Desk, draft: Callable[..., int]) -> None:
    typed = staffed.type("campaigns", "watch", draft())
    assert (typed.code, "has not been started" in typed.err) == (1, True)


def test_a_refusal_is_not_answered_again(staffed: Desk) -> None:
    letter(staffed, "退订")
    typed = staffed.type("replies", "answer", 1, "真的吗？")
    assert (typed.code, "Letter 1 refuses the paper" in typed.err) == (1, True)
    assert staffed.type("replies", "list", "--json").document["replies"][0]["state"] == "handled"


def test_an_answer_that_nobody_sends(staffed: Desk) -> None:
    letter(staffed)
    typed = staffed.type("replies", "answer", 1, "三点")
    assert "queued" in typed.out
    assert "Nobody sends" in typed.out
    assert "  broadsheet up\n" in typed.out


def test_a_time_that_has_passed(staffed: Desk) -> None:
    typed = staffed.type("campaigns", "create", "--text", "hi", "--to", "everyone", "--at", "2020-01-01 10:00")
    assert (typed.code, typed.err.splitlines()[0]) == (2, "2020-01-01 10:00 has passed.")
    assert staffed.type("campaigns", "list", "--json").document == {"campaigns": []}


@pytest.mark.parametrize("field", ["{年龄}", "〔姓名〕"])
def test_what_looks_like_a_field_is_told_as_the_draft_is_made(staffed: Desk, field: str) -> None:
    made = staffed.type("campaigns", "create", "--text", f"{field}您好", "--to", "everyone")
    assert "This looks like a field, and nobody fills it in" in made.out
    assert field in made.out
    assert "written in two braces: {{ name }}" in " ".join(made.out.split())
    assert field in staffed.type("campaigns", "check", "1").out
    assert field in "".join(staffed.type("--json", "campaigns", "check", "1").document["warnings"])
    made = staffed.type("campaigns", "create", "--text", "{{ name }}您好", "--to", "everyone", "--json")
    assert made.document == {"id": 2, "state": "draft", "warnings": []}


def test_an_age_that_nobody_has(staffed: Desk) -> None:
    assert "Nobody's birthday is known" in staffed.type("segments", "count", "age >= 60").out
    assert "birthday" not in staffed.type("segments", "count", "tag = 无").out


def test_a_report_of_no_campaign(staffed: Desk) -> None:
    typed = staffed.type("report", "campaign", 99)
    assert (typed.code, "There is no campaign 99." in typed.err) == (1, True)


def test_the_first_import_undone(staffed: Desk) -> None:
    told = "4 members were removed again.\n3 organisations that it made are gone.\n"
    assert staffed.type("members", "undo", 1, "--yes").out == told


def test_a_check_of_what_has_started_offers_no_send(staffed: Desk, draft: Callable[..., int]) -> None:
    number = draft(to="在职")
    checked = staffed.type("campaigns", "check", number)
    assert "campaigns send" in checked.out
    assert "2 readers, 1 part each" in checked.out
    assert staffed.type("campaigns", "send", number, "--confirm", 2).code == 0
    assert "campaigns send" not in staffed.type("campaigns", "check", number).out


def test_letters_by_the_word_that_is_shown(staffed: Desk) -> None:
    letter(staffed)
    for word in ("waiting", "open", "待处理"):
        assert len(staffed.type("replies", "list", "--state", word, "--json").document["replies"]) == 1


def test_refused_rows_never_replace_the_list(staffed: Desk) -> None:
    people = staffed.folder / "people.csv"
    before = people.read_bytes()
    refused = staffed.type("members", "import", "people.csv", "--rejects", f"../{staffed.folder.name}/people.csv")
    assert refused.code == 2
    assert "would replace people.csv itself" in refused.err
    assert people.read_bytes() == before


def test_what_stands_beside_the_answer_cannot_steer_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    aside("list\x1b[2J.csv")
    assert capfd.readouterr().err == "list␛[2J.csv\n"


def test_a_time_out(staffed: Desk, draft: Callable[..., int]) -> None:
    number = draft()
    staffed.type("campaigns", "schedule", number, "--at", "2099-01-01 10:00")
    typed = staffed.run("campaigns", "watch", number, "--timeout", "0.2", "--json")
    assert (typed.code, typed.document["state"]) == (1, "scheduled")
    assert "Not sent within 0.2 seconds" in typed.err


def test_a_plan_that_was_made_with_the_draft(staffed: Desk) -> None:
    at = ["--at", "2099-01-01 10:00"]
    made = staffed.type("campaigns", "create", "--text", "hi", "--to", "everyone", *at)
    assert "broadsheet campaigns schedule 1" in made.out
    assert staffed.type("campaigns", "show", 1, "--json").document["state"] == "draft"
    planned = staffed.type("campaigns", "schedule", 1, "--json").document
    assert planned == {"id": 1, "state": "scheduled", "at": "2099-01-01T02:00:00+00:00"}


def test_refused_rows_are_shown_ten_at_a_time(desk: Desk) -> None:
    desk.type("init")
    desk.write("people.csv", PEOPLE + "".join(f"某某,{n},东川,在职,是\n" for n in range(20)))
    typed = desk.type("members", "import", "people.csv", "--dry-run")
    assert typed.out.count("\n  row ") == 10
    assert "and 12 more" in typed.out
    assert "This was a dry run: nothing was written." in typed.out
    assert desk.type("segments", "count", "everyone", "--json").document["members"] == 0


@pytest.mark.parametrize(
    "line",
    [
        "campaigns check 1",
        "campaigns show 1",
        "campaigns list",
        "members find 19",
        "members import people.csv --dry-run",
        "organisations tree",
        "gateways list",
        "doctor",
        "campaigns send --help",
        "--help",
    ],
)
def test_a_narrow_terminal_without_colour(staffed: Desk, draft: Callable[..., int], line: str) -> None:
    from rich.cells import cell_len

    draft(
        "{{ name }}，您好，周五下午三点在{{ organisation }}开会，请准时参加，不能来的请提前一天告诉我们，谢谢您的配合。"
    )
    typed = staffed.type(*line.split(), COLUMNS="60", NO_COLOR="1")
    assert "\x1b" not in typed.out
    # what is to be typed stands on one line, whatever its length
    lines = [one for one in typed.out.splitlines() if not one.startswith("  broadsheet ")]
    assert max(map(cell_len, lines)) <= 60


def test_errors_in_chinese(staffed: Desk) -> None:
    typed = staffed.type("campaigns", "show", 9, "--lang", "zh", "--json")
    assert json.loads(typed.out)["error"] == "没有发送任务 9。"
