"""The vocabulary: one word for one thing, in every door.

Both languages stand here and not in the catalogue, because one English word may be two Chinese ones: a campaign that
`failed` is 出错, a message that `failed` is 未送达.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from broadcaster.language import language, tr, translated
from subscribers.actor import OPERATOR, SYSTEM
from subscribers.nowhere import DEFAULT_ORGANISATION, IN_CHINESE, IN_ENGLISH


class Word(NamedTuple):
    """One thing in both languages."""

    en: str
    zh: str


_AWAITING = Word("awaiting receipt", "等回执")
_NOT_DELIVERED = Word("not delivered", "未送达")
_QUEUED = Word("queued", "排队")

#: of a message or part: what a person is told, coarser than the ledger
MESSAGE_STATES: Mapping[str, Word] = {
    "queued": _QUEUED,
    "held": _QUEUED,
    "submitting": _AWAITING,
    "submitted": _AWAITING,
    "in_network": _AWAITING,
    "delivered": Word("delivered", "送达"),
    "failed": _NOT_DELIVERED,
    "rejected": _NOT_DELIVERED,
    "expired": _NOT_DELIVERED,
    "unknown": Word("unsure", "不确定"),
    "no_receipt": Word("no receipt", "无回执"),
    "skipped": Word("skipped", "跳过"),
    "cancelled": Word("not sent", "未发出"),
}

CAMPAIGN_STATES: Mapping[str, Word] = {
    "draft": Word("draft", "草稿"),
    "in_review": Word("in review", "审核中"),
    "changes_requested": Word("sent back", "退回修改"),
    "approved": Word("approved", "已签发"),
    "scheduled": Word("scheduled", "已定时"),
    "preparing": Word("preparing", "准备中"),
    "sending": Word("sending", "发送中"),
    "paused": Word("paused", "已暂停"),
    "sent": Word("sent", "已发完"),
    "closed": Word("closed", "已结束"),
    "cancelled": Word("cancelled", "已取消"),
    "aborted": Word("aborted", "已终止"),
    "missed": Word("missed", "已错过"),
    "failed": Word("failed", "出错"),
}

SKIP_REASONS: Mapping[str, Word] = {
    # by their own word, or by somebody's list
    "opted_out": Word("opted out", "已退订"),
    "no_consent": Word("never agreed to receive the paper", "未同意接收"),
    "no_number": Word("no number", "没有手机号"),
    "invalid_number": Word("invalid number", "号码不对"),
    "landline": Word("landline", "座机"),
    "duplicate_handset": Word("same handset as another member", "与家人同号"),
    "left_segment": Word("no longer in the segment", "已不在人群"),
    "transferred": Word("transferred", "已转出"),
    "window_missed": Word("time window missed", "错过时段"),
    "cap_reached": Word("had enough for today", "今天已满"),
    "suspended": Word("number to be verified", "号码待核"),
    "budget": Word("over budget", "超预算"),
    "missing_value": Word("a value that the text needs is missing", "缺少正文要用的内容"),
}

#: what a column of a list may be, by the field that an import reads it as
LIST_FIELDS: Mapping[str, Word] = {
    "name": Word("name", "姓名"),
    "msisdn": Word("phone number", "手机号"),
    "other_numbers": Word("other numbers", "其他号码"),
    "organisation": Word("organisation", "组织"),
    "status": Word("status", "状态"),
    "away_place": Word("lives in", "现居"),
    "host_branch": Word("looked after by", "当地联系组织"),
    "joined_on": Word("joined on", "加入日期"),
    "birthday": Word("birthday", "生日"),
    "subscribed": Word("wants the paper", "愿意接收"),
    "tags": Word("tags", "标签"),
    "external_id": Word("id in another system", "其他系统里的编号"),
}

#: of what a member wrote
LETTER_STATES: Mapping[str, Word] = {
    "new": Word("just came in", "刚收到"),
    "handled": Word("dealt with", "已自动处理"),
    "open": Word("waiting", "待处理"),
    "answered": Word("answered", "已回复"),
    "closed": Word("closed", "已关闭"),
}

STATUSES: Mapping[str, Word] = {
    "in_service": Word("in service", "在职"),
    "retired": Word("retired", "离退休"),
    "probationary": Word("probationary", "预备"),
    "applicant": Word("applicant", "申请人"),
    "mobile": Word("mobile", "流动"),
    "everyone": Word("everyone", "所有人"),
}

_BUILT_IN = {said: name for name, word in STATUSES.items() for said in (word.en, word.zh)}

_NO_PLACE = Word(IN_ENGLISH, IN_CHINESE)

#: of a user
ROLES: Mapping[str, Word] = {
    "viewer": Word("viewer", "查看"),
    "writer": Word("writer", "撰稿"),
    "editor": Word("editor", "编辑"),
    "approver": Word("approver", "签发人"),
    "operator": Word("operator", "运维"),
    "admin": Word("admin", "管理员"),
}

RIGHTS: Mapping[str, Word] = {
    "see": Word("look", "查看"),
    "numbers": Word("see whole numbers", "看完整号码"),
    "register": Word("change the registry", "改会员资料"),
    "write": Word("write", "撰稿"),
    "edit": Word("edit", "编辑"),
    "approve": Word("approve", "签发"),
    "send": Word("send", "发送"),
    "operate": Word("operate", "运维"),
    "administer": Word("administer", "管理用户"),
}

#: of a member on the way to another organisation
TRANSFER_STATES: Mapping[str, Word] = {
    "asked": Word("waiting", "待接收"),
    "accepted": Word("accepted", "已接收"),
    "refused": Word("refused", "未同意"),
    "withdrawn": Word("withdrawn", "已撤回"),
    "expired": Word("out of time", "已过期"),
}

#: of an item
ITEM_STATES: Mapping[str, Word] = {
    "draft": Word("draft", "草稿"),
    "contributed": Word("handed in", "来稿"),
    "ready": Word("accepted", "已采用"),
    "withdrawn": Word("withdrawn", "已撤稿"),
}

#: of somebody who asked to join
ADMISSION_STATES: Mapping[str, Word] = {
    "waiting": Word("waiting", "待核对"),
    "accepted": Word("let in", "已加入"),
    "refused": Word("refused", "未同意"),
}

#: what a member's history is made of
HAPPENINGS: Mapping[str, Word] = {
    "joined": Word("joined", "加入"),
    "changed": Word("changed", "变更"),
    "moved": Word("moved", "转入"),
    "rejoined": Word("joined again", "重新加入"),
    "left": Word("left", "离开"),
    "asked": Word("transfer asked for", "申请转移"),
    "accepted": Word("transfer accepted", "转移已接收"),
    "refused": Word("transfer refused", "转移未同意"),
    "withdrawn": Word("transfer withdrawn", "转移已撤回"),
    "expired": Word("transfer out of time", "转移已过期"),
    "in": Word("wants the paper", "同意接收"),
    "out": Word("opted out", "退订"),
    "forgotten": Word("forgotten", "资料已清除"),
}

#: through which door a wish came
SOURCES: Mapping[str, Word] = {
    "sms": Word("their own SMS", "本人短信"),
    "carrier": Word("the carrier", "运营商"),
    "page": Word("their own word on a page", "本人在网页上"),
    "operator": Word("told to us", "本人告知我们"),
    "import": Word("a list", "名单"),
}

#: where the ledger keeps a name; most reasons are sentences of the gateways' own tables, kept in the catalogue
_FAILURES: Mapping[str, Word] = {
    "": Word("No reason given", "没有说明原因"),
    "only_rehearsed": Word(
        "It was asked for while nothing reached a phone, and waited; now its gateway reaches phones: it was held back",
        "要样稿时是演练，不会到手机；它还在排队时网关换成了真的，所以拦了下来",
    ),
    "carrier_unknown": Word("The carrier does not know what became of it", "运营商不知道结果"),
}


#: kinds of gateways that are no proper names
_GATEWAYS: Mapping[str, Word] = {"simulator": Word("for rehearsing", "演练")}


def gateway_word(kind: str) -> str:
    """What kind of a gateway it is; carriers' own names (SMPP, Twilio) stand as they are."""
    return _said(_GATEWAYS[kind]) if kind in _GATEWAYS else {"smpp": "SMPP", "twilio": "Twilio"}.get(kind, kind)


def state_word(state: str) -> str:
    """A message's or part's state, as a person is told. Raises KeyError for a state there is not."""
    return _said(MESSAGE_STATES[state])


def campaign_state_word(state: str, *, rehearsed: bool = False) -> str:
    """A campaign's state, and that nothing of it reached a phone. Raises KeyError for a state there is not."""
    word = _said(CAMPAIGN_STATES[state])
    return f"{word} · {tr('rehearsal')}" if rehearsed else word


def skip_reason_word(reason: str) -> str:
    """Why somebody gets nothing. Raises KeyError for a reason there is not."""
    return _said(SKIP_REASONS[reason])


def list_field_word(field: str) -> str:
    """What a column of a list is read as. Raises KeyError for a field there is not."""
    return _said(LIST_FIELDS[field])


def states_named(word: str, table: Mapping[str, Word]) -> list[str]:
    """The states that somebody means who writes `word`: the ledger's own name, or the word shown, in either language.

    >>> states_named("not delivered", MESSAGE_STATES), states_named("no_receipt", MESSAGE_STATES)
    (['failed', 'rejected', 'expired'], ['no_receipt'])
    """
    word = word.strip().lower()
    return [word] if word in table else [state for state, words in table.items() if word in words]


def letter_state_word(state: str) -> str:
    """A letter's state. Raises KeyError for a state there is not."""
    return _said(LETTER_STATES[state])


def transfer_state_word(state: str) -> str:
    """How far a transfer is. Raises KeyError for a state there is not."""
    return _said(TRANSFER_STATES[state])


def admission_state_word(state: str) -> str:
    """How far it is with somebody who asked to join. Raises KeyError for a state there is not."""
    return _said(ADMISSION_STATES[state])


def item_state_word(state: str) -> str:
    """How far an item is. Raises KeyError for a state there is not."""
    return _said(ITEM_STATES[state])


def happening_word(what: str) -> str:
    """What happened to a member. Raises KeyError for what does not happen."""
    return _said(HAPPENINGS[what])


def source_word(source: str) -> str:
    """Through which door a wish came; as it stands there if we have no word for it."""
    return _said(SOURCES[source]) if source in SOURCES else source


def status_word(status: str) -> str:
    """A member's standing, or the built-in segment of that name. Raises KeyError for one there is not."""
    return _said(STATUSES[status])


def segment_name(said: str) -> str:
    """The name under which a built-in segment is stored, from any way of saying it; anything else as it is.

    Somebody who types what a page shows, "in service" or "在职", means the same as `in_service`.
    """
    return _BUILT_IN.get(said.lower(), said)


def segment_word(name: str) -> str:
    """A built-in segment in the reader's language; any other, and a rule, as it is."""
    return status_word(name) if name in STATUSES else name


def place_words(names: str) -> str:
    """An organisation by its path of names; that of those who are in none has a word in each language.

    Both are understood where a place is typed: see `subscribers.nowhere`.
    """
    top, below, rest = names.partition("/")
    return _said(_NO_PLACE) + below + rest if top == DEFAULT_ORGANISATION else names


def standing_words(status: str, *, away: bool) -> str:
    """A member's standing, and whether they live away."""
    return status_word(status) + (f" · {status_word('mobile')}" if away else "")


def right_word(right: str) -> str:
    """A right as people say it."""
    return _said(RIGHTS[right])


def role_word(role: str) -> str:
    """What a user may do, by its name. Raises KeyError for a role there is not."""
    return _said(ROLES[role])


#: nobody did it: its time had come
_BY_ITSELF = Word("by itself", "系统自动")


def actor_word(name: str) -> str:
    """Who did something: a user by their name, whoever types commands, or the program by itself."""
    if name == SYSTEM.name:
        return _said(_BY_ITSELF)
    return role_word("operator") if name == OPERATOR.name else name


def failure_reason_word(reason: str | None) -> str:
    """Why it did not arrive, for a person; the carrier's own words where nobody has translated them."""
    reason = reason or ""
    return _said(_FAILURES[reason]) if reason in _FAILURES else translated(reason)


def reason_word(reason: str) -> str:
    """Why a message is where it is: skipped, or not arrived; empty for an empty one."""
    if reason in SKIP_REASONS:
        return skip_reason_word(reason)
    return failure_reason_word(reason) if reason else ""


def kind_words(rows: int, fault: str, *, is_example: bool) -> str:
    """How many rows have a fault: the same one, or each its own like this one."""
    return tr("{n} ×, such as: {fault}", n=rows, fault=fault) if is_example else f"{rows} × {fault}"


def _said(word: Word) -> str:
    return word.zh if language() == "zh" else word.en
