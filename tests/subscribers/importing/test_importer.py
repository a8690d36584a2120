"""A file into the registry: matched, dated, consented, refused row by row; the same file twice changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from subscribers import consent, finding, importing, nowhere, registry
from subscribers.actor import OPERATOR, SYSTEM, Actor, Right
from subscribers.errors import Denied, Invalid
from subscribers.importing import ImportResult, Limits
from subscribers.models import Consent, ImportRun, Member, Membership, Number, Organisation, Status, Subscription, Wish
from subscribers.organisations import find_by_path
from tests.factories import NOW, generated_msisdn, make_member, make_organisation

TODAY = date(2026, 11, 21)
HEAD = "name,msisdn,organisation,status,joined_on,birthday,subscribed,tags,external_id\n"


class Importer:
    """Writes a list and imports it."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.path = session, folder / "list.csv"

    def __call__(self, text: str, *, actor: Actor = OPERATOR, encoding: str = "utf-8", **given: Any) -> ImportResult:
        self.path.write_text(text, encoding=encoding)
        return importing.import_members(self.session, actor, self.path, now=NOW, on=TODAY, **given)


@pytest.fixture
def load(session: Session, tmp_path: Path) -> Importer:
    return Importer(session, tmp_path)


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.refused)


def reasons(result: ImportResult) -> list[str]:
    return [f"{one.row}: {one.reason}" for one in result.refused]


def unreached(result: ImportResult) -> dict[str, list[int]]:
    assert all(one.people == len(one.rows) for one in result.unreached.values())
    return {str(why): one.rows for why, one in result.unreached.items()}


def profile(session: Session, text: str) -> registry.Profile:
    (found,) = finding.find(session, OPERATOR, text, on=TODAY)
    return found


def test_a_list_is_taken_in_whole(session: Session, load: Importer) -> None:
    result = load(
        HEAD
        + "读者甲,199 0000 0001,East/First,retired mobile,2000-07-01,1950-02-03,yes,书画;chess,E1\n"
        + "读者乙,010-12345678,East/Second,applicant,,,,,\n"
    )
    assert counts(result) == (2, 0, 0, 0)
    first = profile(session, "读者甲")
    assert first == registry.Profile(
        id=first.id,
        name="读者甲",
        external_id="E1",
        birthday=date(1950, 2, 3),
        tags=("书画", "chess"),
        organisation="East/First",
        organisation_path=first.organisation_path,
        status=Status.RETIRED,
        mobile=True,
        msisdn="+8619900000001",
        kind="mobile",
        wish=Wish.IN,
    )
    second = profile(session, "读者乙")
    assert (second.kind, second.wish, second.status, second.mobile) == ("landline", None, Status.APPLICANT, False)
    starts = session.scalars(select(Membership.valid_from).order_by(Membership.member_id)).all()
    assert starts == [date(2000, 7, 1), TODAY]
    assert session.scalar(select(Number.operator).where(Number.msisdn == "+8619900000001")) == "telecom"
    evidence = session.execute(select(Consent.source, Consent.wording, Consent.import_run_id)).one()
    assert tuple(evidence) == ("import", "list.csv", result.import_id), "what the file says of all is kept once"
    run = session.get_one(ImportRun, result.import_id)
    assert (run.created, run.refused, run.file_name, run.actor) == (2, 0, "list.csv", "operator")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_chinese_list_from_any_spreadsheet(session: Session, load: Importer, encoding: str, delimiter: str) -> None:
    lines = [
        "2026 年成员名册,,,,",
        "姓名,联系电话,支部,人员类别,车间",
        "读　者,１９９００００００１１,东城/一支部,离退休,三车间",
    ]
    result = load("\n".join(lines).replace(",", delimiter), encoding=encoding)
    assert counts(result) == (1, 0, 0, 0)
    assert profile(session, "读者").organisation == "东城/一支部"
    assert session.scalar(select(Member.fields)) == {"车间": "三车间"}


def test_the_same_list_again_changes_nothing(session: Session, load: Importer) -> None:
    text = (
        HEAD + "A,19900000001,East,retired,2000-07-01,1950-02-03,yes,x,E1\nB,19900000002,East,,,,no,,\nC,,East,,,,,,\n"
    )
    assert counts(load(text)) == (3, 0, 0, 0)
    assert counts(load(text)) == (0, 0, 3, 0)
    assert session.scalar(select(func.count(Consent.id))) == 2


def test_name_and_number_alone_are_enough(session: Session, load: Importer) -> None:
    load("姓名,手机\n甲,19900000001\n")
    assert profile(session, "甲").organisation == nowhere.DEFAULT_ORGANISATION
    assert profile(session, "甲").status == Status.IN_SERVICE


def test_changes_are_dated_and_empty_cells_erase_nothing(session: Session, load: Importer) -> None:
    load(HEAD + "甲,19900000001,East,in_service,2000-07-01,1950-02-03,,x,E1\n")
    result = load(HEAD + "甲,19900000001,West/New,retired,,,,,\n")
    assert counts(result) == (0, 1, 0, 0)
    person = profile(session, "甲")
    assert (person.organisation, person.birthday, person.tags) == ("West/New", date(1950, 2, 3), ("x",))
    columns = select(Membership.status, Membership.valid_from, Membership.valid_until).order_by(Membership.id)
    assert [tuple(row) for row in session.execute(columns)] == [
        ("in_service", date(2000, 7, 1), TODAY),
        ("retired", TODAY, None),
    ]
    load(HEAD + "甲,19900000001,,mobile,,,,,\n")
    assert session.scalar(select(func.count(Membership.id))) == 2, "a second change on one day corrects the first"
    assert (profile(session, "甲").status, profile(session, "甲").mobile) == (Status.IN_SERVICE, True)


def test_joined_on_is_corrected_at_its_beginning(session: Session, load: Importer) -> None:
    load(HEAD + "甲,19900000001,East,retired,2000-07-01,,,,\n")
    assert counts(load(HEAD + "甲,19900000001,East,retired,1999-07-01,,,,\n")) == (0, 1, 0, 0)
    assert session.scalars(select(Membership.valid_from)).all() == [date(1999, 7, 1)]


def test_who_left_comes_back(session: Session, load: Importer) -> None:
    member = make_member(session, name="甲", organisation="East", left_on=date(2025, 1, 1), status="retired")
    assert counts(load(f"name,msisdn\n甲,{member.msisdn}\n")) == (0, 1, 0, 0)
    back = registry.get(session, OPERATOR, member.id, on=TODAY)
    assert (back.organisation, back.status) == ("East", Status.IN_SERVICE)


def test_external_ids_match_through_a_new_name_and_number(session: Session, load: Importer) -> None:
    load(HEAD + "甲,19900000001,East,,,,,,E1\n")
    assert counts(load(HEAD + "甲新,19900000002,East,,,,,,E1\n")) == (0, 1, 0, 0)
    person = profile(session, "甲新")
    assert person.msisdn == "+8619900000002"
    numbers = select(Number.msisdn, Number.preferred).order_by(Number.id)
    assert [tuple(row) for row in session.execute(numbers)] == [("+8619900000001", False), ("+8619900000002", True)]
    load(HEAD + "甲新,19900000001,East,,,,,,E1\n")
    assert profile(session, "甲新").msisdn == "+8619900000001"
    assert session.scalar(select(func.count(Number.id))) == 2


def test_an_external_id_is_learned_by_number_and_name(session: Session, load: Importer) -> None:
    load("姓名,手机\n甲,19900000001\n")
    assert counts(load("姓名,手机,编号\n甲,19900000001,E1\n")) == (0, 1, 0, 0)
    assert profile(session, "甲").external_id == "E1"


def test_bad_rows_are_refused_and_do_not_stop_the_good_ones(session: Session, load: Importer) -> None:
    member = make_member(session, name="读者甲")
    result = load(
        HEAD
        + "好,19900009001,East,,,,,,\n"
        + "短,1380000223,East,,,,,,\n"
        + ",19900009002,East,,,,,,\n"
        + f"别人,{member.msisdn},East,,,,,,\n"
        + "重,19900009001,East,,,,,,\n"
        + "类,19900009003,East,dead,,,,,\n"
        + "日,19900009004,East,,2026-13-01,,,,\n"
        + "未来,19900009005,East,,2027-01-01,,,,\n"
        + "愿,19900009006,East,,,,maybe,,\n"
        + "路,19900009007,East//X,,,,,,\n"
        + "多,19900009008,East,,,,,,,extra\n"
        + "丢,1.38E10,East,,,,,,\n"
        + "\n"
        + "好二,19900009009,East,,,,,,\n"
    )
    assert counts(result) == (2, 0, 0, 11)
    assert result.rows == 13
    assert [line.split(":")[0] for line in reasons(result)] == [str(n) for n in range(3, 14)]
    wanted = ["one digit", "name is missing", "another name: 读者甲", "row 2 already", "no status", "does not exist"]
    wanted += ["cannot be 2027", "neither yes nor no", "empty name", "10 cells", "lost its digits"]
    for line, part in zip(reasons(result), wanted, strict=True):
        assert part in line
        assert "{" not in line
        assert str(member.msisdn)[5:] not in line
    assert result.refused[0].cells[0] == "短"


def test_two_who_share_a_handset_are_both_kept_when_expected(session: Session, load: Importer) -> None:
    text = "姓名,手机,订阅\n甲,19900000001,是\n乙,19900000001,否\n甲,19900000001,是\n"
    assert counts(load(text)) == (1, 0, 0, 2)
    result = load(text, shared=True)
    assert counts(result) == (1, 0, 1, 1)
    assert session.execute(select(Number.shared)).scalars().all() == [True, True]
    assert not consent.is_reachable(session, "+8619900000001"), "the one who wants nothing is heard"
    again = load("姓名,手机,订阅\n丙,19900000002,否\n丁,19900000002,是\n", shared=True)
    assert counts(again) == (2, 0, 0, 0)
    assert not consent.is_reachable(session, "+8619900000002")
    flags = session.scalars(select(Number.shared).where(Number.msisdn == "+8619900000002")).all()
    assert flags == [True, True]


def test_who_opted_out_stays_out_and_is_counted(session: Session, load: Importer) -> None:
    member = make_member(session, name="甲")
    other = make_member(session, name="乙", subscribed=False)
    assert member.msisdn
    assert other.msisdn
    consent.opt_out(session, SYSTEM, member.msisdn, source="sms", wording="退订", now=NOW)
    text = f"姓名,手机,订阅\n甲,{member.msisdn},是\n乙,{other.msisdn},是\n"
    dry = load(text, dry_run=True)
    result = load(text)
    assert (dry.still_out, result.still_out) == (1, 1)
    assert not consent.is_reachable(session, member.msisdn)
    assert consent.is_reachable(session, other.msisdn)


def test_what_is_said_of_everyone_fills_only_the_gaps(session: Session, load: Importer) -> None:
    out = make_member(session, name="甲", subscribed=False)
    silent = make_member(session, name="乙", subscribed=None)
    assert out.msisdn
    assert silent.msisdn
    text = f"姓名,手机,订阅\n甲,{out.msisdn},\n乙,{silent.msisdn},\n丙,19900000077,否\n丁,010-12345678,\n"
    assert unreached(load(text, dry_run=True)) == {"landline": [5], "opted_out": [2, 4], "no_consent": [3]}
    result = load(text, agreed="forms of 2026, in the office")
    assert (unreached(result), result.still_out) == ({"landline": [5], "opted_out": [2, 4]}, 1)
    present = consent.wishes(session, [out.msisdn, silent.msisdn, "+8619900000077"])
    assert [one.wish for one in (present[out.msisdn], present[silent.msisdn], present["+8619900000077"])] == [
        Wish.OUT,
        Wish.IN,
        Wish.OUT,
    ]
    wording = session.scalar(select(Consent.wording).where(Consent.msisdn == silent.msisdn))
    assert wording == "forms of 2026, in the office (list.csv, row 3)"


def test_one_person_twice_is_refused_at_the_second_row(session: Session, load: Importer) -> None:
    member = make_member(session, name="甲", external_id="E1")
    result = load(f"姓名,手机,编号\n甲,{member.msisdn},\n甲,19900000077,E1\n乙,19900000078,E2\n丙,19900000079,E2\n")
    assert counts(result) == (1, 0, 1, 2)
    assert "same member as in row 2" in reasons(result)[0]
    assert "id E2 is that of row 4" in reasons(result)[1]


def test_a_dry_run_says_the_same_and_writes_nothing(session: Session, load: Importer) -> None:
    load(HEAD + "甲,19900000001,East,,,,yes,,\n")
    tables = [table.__table__ for table in (Member, Number, Membership, Organisation, Consent, ImportRun)]
    before = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    text = HEAD + "甲,19900000001,West,,,,no,,\n乙,19900000002,North/New,,,,yes,,\n丙,x,,,,,,,\n"
    dry = load(text, dry_run=True)
    assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == before
    assert dry.import_id is None
    assert counts(dry) == counts(load(text)) == (1, 1, 0, 1)


def test_organisations_that_were_not_there_are_told(session: Session, load: Importer) -> None:
    make_organisation(session, "East/First")
    text = (
        "name,msisdn,organisation\n读者甲,19900000001,East/First\n读者乙,19900000002,East/Frist\n读者丙,,East/Second\n"
    )
    for given in ({"dry_run": True}, {}):
        result = load(text, **given)
        assert (result.new_organisations, result.first_new_organisations) == (2, ("East/Frist", "East/Second"))
    again = load(text)
    assert (again.new_organisations, again.first_new_organisations) == (0, ())


def test_a_person_imports_only_into_their_own_part(session: Session, load: Importer) -> None:
    outsider = make_member(session, name="外", organisation="West", msisdn="+8619900000099")
    make_organisation(session, "East")
    east = find_by_path(session, OPERATOR, "East")
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=east.path)
    result = load(
        "姓名,手机,支部,订阅\n"
        f"内,19900000001,East/New,是\n外,{outsider.msisdn},,\n远,19900000002,West,\n近,19900000003,,是\n",
        actor=clerk,
    )
    assert counts(result) == (2, 0, 0, 2)
    assert profile(session, "近").organisation == "East"
    with pytest.raises(Denied):
        load("姓名,手机\n", actor=Actor("viewer", frozenset({Right.SEE})))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "no row of headings"),
        ('name,msisdn\nA,19900000001\nB,"19900000002\n', "broken from line 3"),
        ('"name,msisdn\nA,1\n', "broken from line 1"),
    ],
)
def test_a_broken_file_is_refused_whole(load: Importer, text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        load(text)


def test_limits_and_mapping(load: Importer) -> None:
    text = "谁,打给谁\n甲,19900000001\n乙,19900000002\n"
    mapping = {"谁": "name", "打给谁": "msisdn"}
    assert counts(load(text, mapping=mapping, dry_run=True)) == (2, 0, 0, 0)
    with pytest.raises(Invalid, match="more than 1 rows"):
        load(text, mapping=mapping, limits=Limits(rows=1))
    result = load("姓名,手机\n" + "x" * 50 + ",19900000001\n", limits=Limits(cell=40))
    assert "too long: 50 characters" in reasons(result)[0]
    for field in ("msisdn", "tags"):
        with pytest.raises(Invalid, match="no column 座机"):
            load("姓名,手机\n", mapping={"座机": field})


def test_refused_rows_come_back_corrected(session: Session, load: Importer, tmp_path: Path) -> None:
    result = load("姓名,手机,车间\n甲,1990000000,=1+1\n乙,19900000002,\n")
    rejects = tmp_path / "rejects.csv"
    importing.write_rejects(rejects, result.headings, result.refused)
    text = rejects.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "refused_row,refused_reason,姓名,手机,车间"
    assert "'=1+1" in text
    assert counts(load(text.replace("1990000000", "19900000000"))) == (1, 0, 0, 0)
    assert session.scalar(select(Member.fields).where(Member.name == "甲")) == {"车间": "=1+1"}


def test_many_rows_take_few_statements_and_tell_their_progress(
    session: Session, load: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscribers.importing.importer.PORTION", 1000)
    statements: list[str] = []
    told: list[int] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    lines = [f"读者{n},{generated_msisdn(n)},City {n % 5}/Branch {n % 40},retired,,,yes,,E{n}\n" for n in range(2500)]
    assert counts(load(HEAD + "".join(lines), progress=told.append)) == (2500, 0, 0, 0)
    assert told == [1000, 2000, 2500]
    assert len(statements) <= 80


def test_what_offices_write(session: Session, load: Importer) -> None:
    rows = "甲,19900000001,√,1980.07,196706\n乙,19900000002,订,1980年7月,1967-06-03\n合计,,,,\nTotal,19900000003,,,\n"
    rows += "300 人,,,,\n"
    result = load(f"姓名,手机,是否订阅,入党时间,出生年月\n{rows}")
    assert counts(result) == (2, 0, 0, 3)
    assert "合计 is a sum and no person" in reasons(result)[0]
    assert "300 人 is a sum and no person" in reasons(result)[2]
    assert session.scalars(select(Membership.valid_from)).all() == [date(1980, 7, 1)] * 2
    assert session.scalars(select(Member.birthday).order_by(Member.id)).all() == [date(1967, 6, 1), date(1967, 6, 3)]
    assert session.scalars(select(Subscription.wish)).all() == ["in", "in"]


def test_who_shares_a_handset_already_may_keep_it(session: Session, load: Importer) -> None:
    text = "姓名,手机\n甲,19900000001\n乙,19900000001\n"
    assert counts(load(text, shared=True)) == (2, 0, 0, 0)
    assert counts(load(text)) == (0, 0, 2, 0), "the same file again changes nothing"
    assert counts(load("姓名,手机\n丙,19900000001\n")) == (0, 0, 0, 1)


def test_rows_refused_twice_have_one_reason(session: Session, load: Importer, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    result = load("姓名,手机\n甲,1990000000\n")
    importing.write_rejects(first, result.headings, result.refused)
    again = load(first.read_text(encoding="utf-8-sig"))
    importing.write_rejects(second, again.headings, again.refused, why=lambda one: f"第 {one.row} 行")
    assert second.read_text(encoding="utf-8-sig").splitlines() == [
        "refused_row,refused_reason,姓名,手机",
        "2,第 2 行,甲,1990000000",
    ]


def test_nobody_shares_a_number_with_somebody_outside(session: Session, load: Importer) -> None:
    make_member(session, name="外", organisation="West", msisdn="+8619900000099", external_id="W1")
    make_organisation(session, "East")
    clerk = Actor("clerk", frozenset(Right), under=find_by_path(session, OPERATOR, "East").path)
    rows = "外,19900000099,\n内,19900000099,\n内,19900000001,W1\n"
    result = load(f"姓名,手机,编号\n{rows}", actor=clerk, shared=True)
    assert counts(result) == (0, 0, 0, 3)
    assert {one.message for one in result.refused} == {
        "The number or the id is on record in another part of the tree."
    }, "a namesake and a stranger are told the same"
