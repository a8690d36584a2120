"""Making a draft: what is written, to whom, and how it is dressed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import is_seen_by, no_campaign, refuse_foreign
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign, CampaignDress, CampaignVariant, Lane
from broadcaster.campaigns.render import MEMBER_FIELDS
from broadcaster.language import filled, listed, translated
from broadcaster.newspaper import editions
from broadcaster.newspaper.lint import about_link, about_text, lint
from broadcaster.newspaper.models import Edition, EditionPage
from broadcaster.newspaper.own_words import as_template
from broadcaster.templates import compile_template, fields_of
from broadcaster.templates import load as load_template
from subscribers import segments
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.db import among
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import Member, Membership, Organisation
from subscribers.organisations import hold_place, in_subtree

#: a field as it stands in a text; a title shows its name alone
_FIELD = re.compile(r"\{\{\s*(\w+)[^}]*\}\}")

#: what stands behind a text that ends with the address of its reading page
_LINK = {"zh": "{{ nl }}全文 {{ link }}", "en": "{{ nl }}In full: {{ link }}"}
#: instead of an address that nobody knows yet: such a text is looked at, and never sent
_NOWHERE = "https://…/p/"


@dataclass(frozen=True, slots=True)
class Text:
    """What one segment gets: a template's source, and the values that are the same for all of its readers."""

    name: str
    rule: str
    source: str
    context: Mapping[str, Any] = field(default_factory=dict)


@needs(Right.WRITE)
def create_draft(
    session: Session,
    actor: Actor,
    texts: Sequence[Text],
    *,
    title: str,
    rule: str,
    dress: Dress,
    now: datetime,
    kind: str = "notice",
    edition: Edition | None = None,
    gateway: str | None = None,
    urgent: bool = False,
    at: datetime | None = None,
) -> Campaign:
    """A draft with these texts for the audience of `rule`; `at` is when it shall go out once it is scheduled.

    Raises `Invalid` when a rule or a text cannot be used: an unknown field is found here, not when it is sent.
    """
    hold_place(session, actor.under)
    # what a segment means may change while a campaign waits: what was drafted, approved and confirmed may not
    rules = {each: segments.frozen(session, each, within=actor.under) for each in {rule, *(t.rule for t in texts)}}
    asked, rule, texts = rule, rules[rule], [replace(text, rule=rules[text.rule]) for text in texts]
    for text in texts:
        _refuse_unknown_fields(session, actor, text)
    campaign = _written(actor, texts, title=title, rule=rule, dress=dress, now=now)
    campaign.kind = kind
    campaign.asked = asked
    campaign.edition_id = edition.id if edition else None
    campaign.lane = Lane.URGENT if urgent else Lane.BULK
    campaign.gateway = gateway
    campaign.scheduled_for = at
    campaign.content_hash = content_hash(campaign)
    session.add(campaign)
    session.flush()
    note(session, actor, "campaigns.make", f"campaign {campaign.id}", people=0, now=now)
    return campaign


def _written(actor: Actor, texts: Sequence[Text], *, title: str, rule: str, dress: Dress, now: datetime) -> Campaign:
    return Campaign(
        kind="notice",
        title=title,
        lane=Lane.BULK,
        rule=rule,
        under=actor.under,
        signature=dress.signature,
        opt_out=dress.opt_out,
        created_by=actor.name,
        created_at=now,
        variants=[
            CampaignVariant(
                position=position, name=text.name, rule=text.rule, source=text.source, context=dict(text.context)
            )
            for position, text in enumerate(texts)
        ],
    )


@needs(Right.WRITE)
def draft_notice(session: Session, actor: Actor, /, text: str, *, rule: str, dress: Dress, **more: Any) -> Campaign:
    """A draft of one text for everyone in `rule`; the text may use fields: `{{ name }}，您好`."""
    if not text.strip():
        raise Invalid("The text is empty.", hint="Write what the members should read.")
    title = more.pop("title", "") or _FIELD.sub(_named, text).strip()[:40]
    return create_draft(session, actor, [Text("everyone", rule, text)], title=title, rule=rule, dress=dress, **more)


def _named(field: re.Match[str]) -> str:
    """A field in a title, as people say it."""
    return f"〔{translated(field[1]) if field[1] in MEMBER_FIELDS else field[1]}〕"


@needs(Right.WRITE)
def draft_from_template(
    session: Session,
    actor: Actor,
    /,
    template: str,
    given: Mapping[str, str],
    *,
    language: str,
    rule: str,
    dress: Dress,
    **more: Any,
) -> Campaign:
    """A draft from a file of `templates_sms/`; `given` fills its fields, members fill the rest."""
    file = load_template(template, language)
    if unknown := set(given) - file.fields:
        raise Invalid(
            "The template {template} has no field {field}.",
            hint="Its fields are: {fields}.",
            template=template,
            field=min(unknown),
            fields=listed(sorted(file.fields)),
        )
    # what the file offers and nobody filled in is empty; a text that cannot do without it is found by the check
    empty = dict.fromkeys(file.fields - MEMBER_FIELDS - {"columns"}, "")
    text = Text("everyone", rule, file.source, empty | dict(given))
    return create_draft(session, actor, [text], title=template, rule=rule, dress=dress, **more)


@needs(Right.EDIT)
def draft_edition(
    session: Session,
    actor: Actor,
    /,
    number: int,
    *,
    paper: str,
    language: str,
    dress: Dress,
    rule: str = "everyone",
    pages: str = "",
    **more: Any,
) -> Campaign:
    """A draft of an edition: a text per variant, in the edition's order. `pages`: see `Web.pages`.

    Raises `Invalid` for a variant without items, `Conflict` for what the check of the edition says must be mended.
    """
    edition = editions.get(session, actor, number)
    texts = texts_of(session, edition, paper=paper, language=language, pages=pages)
    _refuse_stopped(session, edition, pages)
    if empty := next((text.name for text in texts if not text.context["columns"]), ""):
        raise Invalid(
            "The variant {variant} has no item.",
            hint="Write an item for it or for everyone, or take it out of variants.",
            variant=empty,
        )
    return create_draft(
        session, actor, texts, title=edition.title, rule=rule, dress=dress, kind="edition", edition=edition, **more
    )


def _refuse_stopped(session: Session, edition: Edition, pages: str) -> None:
    """Raise `Conflict` with what the check of an edition finds against its going out."""
    items = [item for _, _, item in editions.contents(session, edition)]
    for remark in lint(items, editions.variant_names(session, edition), day=edition.date, forbidden=(), words=()):
        if remark.stops and remark.item is not None:
            raise Conflict(
                "“{headline}” stops edition {number}: {what}",
                hint=remark.hint,
                **{
                    **remark.fields,
                    "headline": remark.item.headline,
                    "number": edition.number,
                    "what": filled(remark.message, remark.fields),
                },
            )
    own = editions.own_texts(session, edition)
    is_published = session.get(EditionPage, edition.id) is not None
    for name in editions.variant_names(session, edition):
        remarks = list(about_text((own[name].body if name in own else None) or "", (), ()))
        if name in own and own[name].with_link:
            remarks += about_link(pages, is_published=is_published)
        for remark in remarks:
            if remark.stops:
                raise Conflict(
                    "The text of {variant} stops edition {number}: {what}",
                    hint=remark.hint,
                    **{
                        **remark.fields,
                        "variant": name,
                        "number": edition.number,
                        "what": filled(remark.message, remark.fields),
                    },
                )


@needs(Right.SEE)
def edition_unsaved(
    session: Session,
    actor: Actor,
    number: int,
    *,
    rule: str,
    paper: str,
    language: str,
    dress: Dress,
    now: datetime,
    pages: str = "",
    instead: Mapping[int, str] | None = None,
    bodies: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
) -> Campaign:
    """What `draft_edition` would make, to be checked and looked at; nothing is stored.

    `instead`, `names`: see `variants`; `bodies`: texts of variants, by name, that are only being typed.
    """
    edition = editions.get(session, actor, number)
    rule = segments.frozen(session, rule, within=actor.under)
    texts = [
        replace(text, rule=segments.frozen(session, text.rule, within=actor.under))
        for text in texts_of(
            session, edition, paper=paper, language=language, pages=pages, instead=instead, bodies=bodies, names=names
        )
    ]
    return _written(actor, texts, title=edition.title, rule=rule, dress=dress, now=now)


def texts_of(
    session: Session,
    edition: Edition,
    *,
    paper: str,
    language: str,
    pages: str = "",
    instead: Mapping[int, str] | None = None,
    bodies: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
) -> list[Text]:
    """What an edition gives now, a text for each variant. `instead`, `bodies`, `names`: see `edition_unsaved`."""
    file = load_template("headlines", language)
    texts = []
    for content in editions.variants(session, edition, instead=instead, names=names):
        body = (bodies or {}).get(content.name, content.body)
        source, context = file.source if body is None else as_template(body), editions.context(edition, content, paper)
        if content.with_link:
            source, context = source + _LINK[language], context | {"link": f"{pages or _NOWHERE}{edition.number}"}
        texts.append(Text(content.name, content.rule, source, context))
    return texts


@needs(Right.SEE)
def composed(session: Session, actor: Actor, number: int, name: str, *, paper: str, language: str) -> str:
    """What the items of an edition give for a variant, with fields as editors write them. Raises `NotFound`."""
    edition = editions.get(session, actor, number)
    content = next((one for one in editions.variants(session, edition) if one.name == name), None)
    if content is None:
        raise NotFound("Edition {number} has no variant {name}.", hint="Load it again.", number=number, name=name[:100])
    file = load_template("headlines", language)
    context = editions.context(edition, content, paper)
    field = "〔姓名〕" if language == "zh" else "〔name〕"
    return compile_template(file.source, fields_of(file.source)).render_many(context, [{"name": field}])[0]


def content_hash(campaign: Campaign, dresses: Sequence[CampaignDress] = ()) -> str:
    """What an approval binds: texts, audience, dress, way and lane. Any change of these gives another value.

    `dresses`: as `profiles.frozen` makes them, of a campaign that has not got its own yet.
    """
    frozen: dict[str, Any] = {
        "rule": campaign.rule,
        # the place by its own id: its path changes when it is hung elsewhere
        "under": campaign.under.rstrip("/").rpartition("/")[2],
        "gateway": campaign.gateway,
        "lane": int(campaign.lane),
        "signature": campaign.signature,
        "opt_out": campaign.opt_out,
        "variants": [[v.name, v.rule, v.source, v.context] for v in campaign.variants],
    }
    if worn := dresses or campaign.dresses:
        frozen["dresses"] = [[d.gateway, d.signature, d.place, d.opt_out, d.alphabet, d.reference_bits] for d in worn]
    return hashlib.sha256(json.dumps(frozen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@needs(Right.SEE)
def get(session: Session, actor: Actor, campaign_id: int) -> Campaign:
    """The campaign, if there is one that this actor may see."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise no_campaign(campaign_id)
    refuse_foreign(actor, campaign)
    return campaign


@needs(Right.SEE)
def listing(session: Session, actor: Actor, *, before: int | None = None, limit: int = 50) -> list[Campaign]:
    """The newest campaigns first, `limit` at a time."""
    query = select(Campaign).where(is_seen_by(actor)).order_by(Campaign.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Campaign.id < before)
    return list(session.scalars(query))


@needs(Right.SEE)
def of_edition(session: Session, actor: Actor, number: int) -> list[Campaign]:
    """What was made of an edition, the newest first; at most ten of them. Raises `NotFound`."""
    edition = editions.get(session, actor, number)
    query = select(Campaign).where(is_seen_by(actor), Campaign.edition_id == edition.id)
    return list(session.scalars(query.order_by(Campaign.id.desc()).limit(10)))


@needs(Right.SEE)
def editions_of(session: Session, actor: Actor, campaign_ids: Collection[int]) -> dict[int, int]:
    """Of which editions these were made: their numbers, by the ids of the campaigns. Others are not in it."""
    query = select(Campaign.id, Edition.number).join(Edition, Edition.id == Campaign.edition_id)
    rows = session.execute(query.where(is_seen_by(actor), among(session, Campaign.id, campaign_ids)))
    return dict(rows.all())


def _refuse_unknown_fields(session: Session, actor: Actor, text: Text) -> None:
    """A field is known when every member has it, when it is given, or when one of theirs came with such a column."""
    known = MEMBER_FIELDS | set(text.context)
    used = fields_of(text.source)
    own = {name for name in used - known if session.scalar(_with_field(actor, name).limit(1)) is not None}
    compile_template(text.source, known | own)


def _with_field(actor: Actor, name: str) -> Select[int]:
    query = select(Member.id).where(Member.fields[name].as_string().is_not(None))
    if not actor.under:
        return query
    query = query.join(Membership, Membership.member_id == Member.id)
    query = query.join(Organisation, Organisation.id == Membership.organisation_id)
    return query.where(in_subtree(Organisation.path, actor.under))
