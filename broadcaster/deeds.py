"""What the audit calls a deed, in words. A name that has none here is told as it stands: old records keep theirs."""

from __future__ import annotations

from collections.abc import Mapping

from broadcaster.language import language

#: what it was done to, and what was done: (en, zh)
_THINGS: Mapping[str, tuple[str, str]] = {
    "admissions": ("asking to join", "入会申请"),
    "campaigns": ("send", "发送任务"),
    "columns": ("column", "栏目"),
    "consent": ("wishes", "同意记录"),
    "editions": ("edition", "手机报"),
    "gateways": ("gateway", "网关"),
    "items": ("item", "稿件"),
    "lists": ("list of people", "人员名单"),
    "members": ("member", "会员"),
    "organisations": ("organisation", "组织"),
    "replies": ("letter", "来信"),
    "segments": ("segment", "人群"),
    "transfers": ("transfer", "转移"),
    "users": ("user", "用户"),
    "words": ("word list", "词表"),
}
_ACTS: Mapping[str, tuple[str, str]] = {
    "abort": ("aborted", "终止"),
    "accept": ("accepted", "接收"),
    "accepted": ("accepted", "接收"),
    "add": ("added", "添加"),
    "anew": ("made anew", "重新生成"),
    "as": ("acted in place of", "代为操作"),
    "ask": ("asked for", "申请"),
    "change": ("changed", "修改"),
    "close": ("closed", "停用"),
    "code": ("second factor set up", "设置手机验证码"),
    "disable": ("let in no more", "停用"),
    "expired": ("out of time", "过期"),
    "form": ("form of the text chosen", "选正文形式"),
    "export": ("exported", "导出"),
    "forget": ("forgotten", "清除资料"),
    "import": ("list taken in", "导入"),
    "in": ("wanted again, as told to us", "代记：同意接收"),
    "kind": ("kind changed", "改类别"),
    "leave": ("left", "登记离开"),
    "make": ("made", "新建"),
    "messages": ("numbers seen in full", "查看完整号码"),
    "move": ("moved", "移动"),
    "new_phone": ("sets up another phone", "改设手机"),
    "number": ("numbers changed", "改号码"),
    "numbers": ("numbers seen in full", "查看完整号码"),
    "out": ("not wanted, as told to us", "代记：退订"),
    "password": ("password changed", "改密码"),
    "pause": ("paused", "暂停"),
    "profile": ("values changed", "改参数"),
    "phone": ("phone for proofs noted", "登记收样稿的手机"),
    "proof": ("sent to one's own phone", "发样稿到自己的手机"),
    "publish": ("published", "发布"),
    "recovery": ("signed in with a recovery code", "用恢复码登录"),
    "recovery_codes": ("recovery codes made", "生成恢复码"),
    "refuse": ("sent back", "退回"),
    "refused": ("refused", "未同意"),
    "rejoin": ("joined again", "登记回来"),
    "remove": ("removed", "删除"),
    "rename": ("renamed", "改名"),
    "reopen": ("opened again", "重新启用"),
    "replace": ("replaced", "替换"),
    "resend": ("sent again", "补发"),
    "restore": ("put back", "恢复"),
    "resume": ("went on", "继续"),
    "save": ("saved", "保存"),
    "schedule": ("scheduled", "定时"),
    "send": ("started", "开始发送"),
    "send_back": ("sent back", "退回"),
    "settle": ("settled", "对账处理"),
    "share": ("shared", "放入共享稿库"),
    "show": ("numbers seen in full", "查看完整号码"),
    "status": ("status changed", "改状态"),
    "take_back": ("taken back", "撤回变更"),
    "take_down": ("taken down", "撤下"),
    "test": ("tried out", "测试"),
    "text": ("text written by hand", "手工改正文"),
    "trace": ("numbers and receipts seen in full", "查看完整号码和回执"),
    "undo": ("taken back", "撤销"),
    "unshare": ("taken out of the shared pool", "移出共享稿库"),
    "variants": ("variants changed", "改版本"),
    "verify": ("number verified", "核对号码"),
    "waiting": ("waiting", "待核对"),
    "withdraw": ("withdrawn", "撤稿"),
    "withdrawn": ("withdrawn", "撤回"),
}
_WHOLE: Mapping[str, tuple[str, str]] = {
    "items.accept": ("item: accepted", "稿件：采用"),
    "login": ("signed in", "登录"),
    "login.tries": ("too many wrong tries to sign in", "登录试错过多"),
    "members.refused": ("refused rows downloaded", "下载未通过的行"),
    "replies.list": ("numbers of letters seen in full", "查看来信的完整号码"),
    "replies.doubts": ("numbers of doubtful letters seen in full", "查看存疑来信的完整号码"),
    "restored": ("the database was restored", "数据库已恢复"),
}


#: what is noted beside a deed
_DETAILS: Mapping[str, tuple[str, str]] = {
    "before": ("before", "之前"),
    "before_at": ("saved before at", "之前保存的时间"),
    "before_by": ("saved before by", "之前保存的人"),
    "after": ("after", "之后"),
    "role": ("role", "角色"),
    "name": ("name", "名称"),
    "under": ("under", "上级"),
    "kind": ("kind", "类别"),
    "words": ("words", "字词"),
    "tries": ("tries", "次数"),
    "column": ("column", "栏目"),
    "owner": ("owner", "负责人"),
    "rule": ("rule", "条件"),
    "reason": ("reason", "原因"),
    "variants": ("variants", "版本"),
    "items": ("items", "稿件"),
    "number": ("number", "期号"),
    "added": ("added", "新增"),
    "agreed": ("agreed", "已同意"),
    "answers": ("answers", "自动回复"),
    "at": ("at", "时间"),
    "campaigns": ("sends", "发送任务"),
    "change": ("change", "第几次改动"),
    "day": ("from", "生效日期"),
    "enabled": ("may sign in", "可以登录"),
    "gateway": ("gateway", "网关"),
    "how": ("how", "方式"),
    "into": ("into", "并入"),
    "keys": ("values", "参数"),
    "left": ("left", "剩余"),
    "made": ("made", "新建"),
    "member": ("member", "会员"),
    "message": ("message", "短信"),
    "messages": ("messages", "短信"),
    "moved": ("moved", "移动"),
    "numbers": ("numbers", "号码"),
    "of_column": ("of one column", "只关于栏目"),
    "ok": ("right", "号码正确"),
    "on": ("on", "日期"),
    "operator": ("carrier", "运营商"),
    "organisations": ("organisations removed", "移除的组织"),
    "refused": ("refused", "未通过"),
    "removed": ("removed", "删除"),
    "role_before": ("role before", "之前的角色"),
    "under_before": ("under, before", "之前的上级"),
    "scheduled_by": ("scheduled by", "定时的人"),
    "variant": ("variant", "版本"),
    "verb": ("deed", "操作"),
}
#: what a deed was done to, as it is noted, and whose word it is
_NOTED: Mapping[str, str] = {
    "campaign": "campaigns",
    "column": "columns",
    "edition": "editions",
    "gateway": "gateways",
    "item": "items",
    "member": "members",
    "transfer": "transfers",
    "user": "users",
}
_LISTS = ("list", "名单")
_VALUES: Mapping[str, tuple[str, str]] = {
    "True": ("yes", "是"),
    "False": ("no", "否"),
    "as sent": ("as sent", "算作已发"),
    "resend": ("sent again", "补发"),
    "answers": ("answers", "自动回复"),
    "database": ("database", "数据库"),
}


def things_words() -> list[tuple[str, str]]:
    """What deeds are done to: how their names begin, and the word for it."""
    which = 1 if language() == "zh" else 0
    named = [(f"{name}.", words[which]) for name, words in _THINGS.items()]
    return [*sorted(named, key=lambda each: each[1]), ("login", _WHOLE["login"][which])]


def noted_words(deed: str, thing: str) -> str:
    """What a deed was done to, as people read it: user 2, 用户 2."""
    which = 1 if language() == "zh" else 0
    kind, _, rest = thing.partition(" ")
    if thing.isdigit():
        # of editions and items the number alone is noted
        kind, rest = deed.partition(".")[0], thing
    kind = _NOTED.get(kind, kind)
    # anything else that has a blank in it is a name
    is_noted = rest.isdigit() or (kind == "gateways" and deed.startswith("gateways."))
    if kind == "editions" and is_noted:
        return edition_word(rest)
    words = _LISTS if kind == "import" else _THINGS.get(kind)
    return f"{words[which]} {rest}" if rest and is_noted and words else value_word(thing)


def edition_word(number: object) -> str:
    """An edition by its number: No. 7, 第 7 期."""
    return f"第 {number} 期" if language() == "zh" else f"No. {number}"


def campaign_noted(thing: str) -> int | None:
    """The id of the campaign that a deed was done to, as it is noted."""
    kind, _, rest = thing.partition(" ")
    return int(rest) if kind == "campaign" and rest.isascii() and rest.isdigit() and len(rest) < 16 else None


def value_word(value: object) -> str:
    """What is noted of a detail; as it stands where there is no word for it."""
    told = str(value)
    return _VALUES[told][1 if language() == "zh" else 0] if told in _VALUES else told


def detail_word(name: str) -> str:
    """What is noted beside a deed is called so."""
    return _DETAILS[name][1 if language() == "zh" else 0] if name in _DETAILS else name


def deed_words(deed: str) -> str:
    """A deed as people read it: member: status changed; as it stands where there are no words for it."""
    which = 1 if language() == "zh" else 0
    if deed in _WHOLE:
        return _WHOLE[deed][which]
    thing, _, act = deed.partition(".")
    act, _, undone = act.partition(".")
    if thing not in _THINGS or (undone or act) not in _ACTS:
        return deed
    between = "：" if which else ": "
    return f"{_THINGS[thing][which]}{between}{_ACTS[undone or act][which]}"
