"""Every state, reason and status has its word in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery.states import State
from broadcaster.language import CATALOGUE, read_catalogue, set_language
from broadcaster.replies.models import LetterState
from broadcaster.words import (
    CAMPAIGN_STATES,
    LETTER_STATES,
    MESSAGE_STATES,
    SKIP_REASONS,
    STATUSES,
    Word,
    campaign_state_word,
    failure_reason_word,
    skip_reason_word,
    state_word,
    status_word,
)
from subscribers.models import Status

# as the interface names them: what users' programs hold on to
MESSAGE = (
    "queued held submitting submitted in_network delivered failed rejected unknown expired no_receipt skipped cancelled"
)
CAMPAIGN = (
    "draft in_review changes_requested approved scheduled preparing sending paused sent closed cancelled aborted "
    "missed failed"
)
SKIPPED = (
    "opted_out no_number invalid_number landline duplicate_handset left_segment transferred window_missed cap_reached "
    "suspended budget no_consent missing_value"
)
LETTER = "new handled open answered closed"
STATUS = "in_service retired probationary applicant mobile everyone"


@pytest.fixture(autouse=True)
def language_of_the_environment() -> Iterator[None]:
    yield
    set_language(None)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (MESSAGE_STATES, MESSAGE),
        (CAMPAIGN_STATES, CAMPAIGN),
        (SKIP_REASONS, SKIPPED),
        (STATUSES, STATUS),
        (LETTER_STATES, LETTER),
    ],
)
def test_every_name_has_both_words(table: Mapping[str, Word], names: str) -> None:
    assert set(table) == set(names.split())
    for word in table.values():
        assert re.fullmatch(r"[\u4e00-\u9fff]+", word.zh)
        assert re.fullmatch(r"[a-z][a-z ]+", word.en)


def test_the_house_knows_no_other_names() -> None:
    assert {state.word for state in State} == set(MESSAGE_STATES)
    assert set(CampaignState) == set(CAMPAIGN_STATES)
    assert set(Status) < set(STATUSES)
    assert set(LetterState) == set(LETTER_STATES)


@pytest.mark.parametrize(
    ("speak", "name", "en", "zh"),
    [
        (state_word, "in_network", "awaiting receipt", "等回执"),
        (state_word, "failed", "not delivered", "未送达"),
        (campaign_state_word, "failed", "failed", "出错"),
        (campaign_state_word, "cancelled", "cancelled", "已取消"),
        (state_word, "cancelled", "not sent", "未发出"),
        (skip_reason_word, "no_consent", "never agreed to receive the paper", "未同意接收"),
        (status_word, "retired", "retired", "离退休"),
        (failure_reason_word, "carrier_unknown", "The carrier does not know what became of it", "运营商不知道结果"),
        (failure_reason_word, None, "No reason given", "没有说明原因"),
        (failure_reason_word, "{err 7}", "{err 7}", "{err 7}"),
    ],
)
def test_in_the_readers_language(speak: Callable[[str | None], str], name: str | None, en: str, zh: str) -> None:
    set_language("en")
    assert speak(name) == en
    set_language("zh")
    assert speak(name) == zh


def test_an_unknown_name_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        state_word("sent")


def test_who_operates_the_installation_has_one_name() -> None:
    """As the design has it: operator, 运维."""
    catalogue = read_catalogue(CATALOGUE)
    said = re.compile(
        "whoever (runs|looks after)|who looks after the (computer|gateways)|runs the (program|installation)"
    )
    assert [each for each in catalogue if said.search(each.lower())] == []
    told = re.compile("管(系统|电脑|网关|程序|机器)的人|运行程序的人|运维的?人")
    assert [each for each in catalogue.values() if told.search(str(each))] == []
