"""The frozen settings: `broadsheet.toml`, then the environment over it.

Read by `runtime`, `tasks`, the migrations and the commands; everything else is given what it needs.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from broadcaster.language import listed, msgid, tr
from broadcaster.mistakes import tell_mistake
from subscribers.errors import Invalid

#: set by hand, not fields of a section
_SPECIAL = {"BROADSHEET_CONFIG", "BROADSHEET_DATA", "BROADSHEET_LANG", "BROADSHEET_PROGRAM"}


class Section(BaseModel):
    """A table of the settings file: frozen, and no key is ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


#: what a paper is called before anybody names it
UNNAMED = "Broadsheet"


class Paper(Section):
    """The mobile newspaper itself."""

    name: str = UNNAMED
    time_zone: str = "Asia/Shanghai"
    region: str = Field(default="CN", pattern="^[A-Z]{2}$")
    signature: str = ""
    #: of the texts that the paper itself writes: answers, headlines
    language: Literal["zh", "en"] = "zh"
    opt_out: str = "拒收请回复R"
    quiet_hours: str = Field(default="", pattern=r"^(\d\d:\d\d-\d\d:\d\d)?$")

    @property
    def is_named(self) -> bool:
        """Whether somebody gave it a name."""
        return self.name not in ("", UNNAMED)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(msgid("there is no such time zone; write it like Asia/Shanghai.")) from error
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _real_hours(cls, value: str) -> str:
        for part in filter(None, value.split("-")):
            try:
                time.fromisoformat(part)
            except ValueError:
                raise ValueError(msgid("is no time of the day; write it like 21:00-08:00.")) from None
        return value


class Store(Section):
    """Where the ledger is kept; empty means an SQLite file in the data directory."""

    url: str = ""

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            if value:
                make_url(value).get_dialect()
        except (ArgumentError, ImportError):
            # the address may hold a password: it is not repeated
            raise ValueError(tr('It is written like "postgresql+psycopg://user@host/name".')) from None
        return value


class Queue(Section):
    """The broker; empty means embedded, in this process."""

    url: str = ""


class Routes(Section):
    """Which gateways carry what, in order."""

    default: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    #: seconds until what waits at a gateway through which nothing leaves goes on by the next one
    failover_after: float = Field(default=120, ge=0)
    by_operator: dict[str, str] = Field(default_factory=dict)
    quota_per_day: int = Field(default=0, ge=0)


class Access(Section):
    """The installation's own secret, by which forgotten numbers are known again; empty: one in the data directory."""

    secret: str = Field(default="", repr=False)
    secret_file: str = ""
    #: readers who are sent a code within an hour, all together: each is a message that costs
    reader_codes_per_hour: int = Field(default=1_000, ge=1, le=1_000_000)


#: days for which the rules of a region have words kept: China's of 2015 for services by SMS ask for five months
KEPT_AT_LEAST = {"CN": 180}


class Keeping(Section):
    """For how many days words are kept: of parts, of receipts as they came, of letters. What was counted stays."""

    texts: int = Field(default=180, ge=1, le=36_500)
    receipts: int = Field(default=180, ge=1, le=36_500)
    letters: int = Field(default=180, ge=1, le=36_500)


class Web(Section):
    """How the web doors are reached from outside."""

    #: what carriers sign and call, and never what a request says about itself; empty: nobody can reach us
    public_url: str = Field(default="", pattern=r"^(https?://[^/?#@\s]+(/[^?#\s]*)?)?$")
    #: for Prometheus; empty: programs of this machine may read the metrics, as long as public_url is empty, too
    metrics_token: str = Field(default="", repr=False)
    metrics_token_file: str = ""

    #: networks of the proxies in front of us, which are believed what they say of where a request comes from
    proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ip_network(each)) for each in value)
        except ValueError:
            raise ValueError(msgid("are networks; write them like 10.0.0.0/24 or 10.0.0.7.")) from None

    @property
    def pages(self) -> str:
        """What the number of an edition is put behind to have the address of its reading page; "": nobody knows it."""
        return f"{self.public_url}/p/" if self.public_url else ""

    @field_validator("public_url")
    @classmethod
    def _without_a_slash(cls, value: str) -> str:
        return value.rstrip("/")


class Review(Section):
    """The steps between a draft and its send; none means that the typed confirmation is the review.

    Others are not built yet, and refused: who asks for a signature must not believe that there is one.
    """

    steps: tuple[str, ...] = ()

    @field_validator("steps")
    @classmethod
    def _not_built(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            raise ValueError(tr("[review] steps are not built yet: {steps}.", steps=listed(value)))
        return value


class Settings(BaseSettings):
    """All of it, frozen. `gateways` stays raw here: each gateway checks its own table when it is made."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="BROADSHEET_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    heeds_environment: ClassVar[bool] = True

    paper: Paper = Paper()
    store: Store = Store()
    queue: Queue = Queue()
    gateways: dict[str, dict[str, Any]] = Field(default_factory=lambda: {"simulator": {"kind": "simulator"}})
    routes: Routes = Routes()
    review: Review = Review()
    access: Access = Access()
    web: Web = Web()
    keeping: Keeping = Keeping()
    data: Path = Path("data")

    @model_validator(mode="after")
    def _kept_as_long_as_the_rules_ask(self) -> Settings:
        least = KEPT_AT_LEAST.get(self.paper.region, 0)
        for key, days in self.keeping:
            if days < least:
                raise ValueError(
                    tr(
                        "keeping.{key}: must be at least {least} where region is {region}: the rules there ask for it.",
                        key=key,
                        least=least,
                        region=self.paper.region,
                    )
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # the environment is laid over the file, whose content comes in as arguments
        return (env_settings, init_settings) if cls.heeds_environment else (init_settings,)

    @property
    def store_url(self) -> str:
        """The database to use: the one that was set, or the file in the data directory."""
        return self.store.url or f"sqlite:///{self.own_file}"

    @property
    def own_file(self) -> Path | None:
        """The database file of the embedded default; None where another database was set."""
        return None if self.store.url else self.data / "broadsheet.db"

    @property
    def embedded(self) -> bool:
        """Whether queue, worker and schedule live in one process."""
        return not self.queue.url

    @property
    def zone(self) -> ZoneInfo:
        """The paper's time zone: plans are made in it, instants are kept in UTC."""
        return ZoneInfo(self.paper.time_zone)


def load(path: Path | None = None, **overrides: Any) -> Settings:
    """The settings from `path`, else `$BROADSHEET_CONFIG`, else `./broadsheet.toml`, else the embedded default.

    Raises `Invalid` with one line per mistake: the key, what is wrong, what to write instead.
    """
    file = _find(path)
    values = _read(file) if file else {}
    values.setdefault("data", os.environ.get("BROADSHEET_DATA") or "data")
    values.update(overrides)
    _refuse_unknown_environment()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise Invalid(
            "{where} cannot be used:\n{mistakes}",
            hint="The keys and their meaning are in docs/configuration.md.",
            where=str(file) if file else tr("The configuration"),
            mistakes="\n".join(tell_mistake(mistake, _siblings(mistake["loc"])) for mistake in error.errors()),
        ) from None
    gateways = {name: _with_secrets(table) for name, table in settings.gateways.items()}
    access = settings.access
    if access.secret_file:
        access = Access(**_with_secrets(access.model_dump()))
    web = settings.web
    if web.metrics_token_file:
        web = Web(**_with_secrets(web.model_dump()))
    return settings.model_copy(update={"gateways": gateways, "access": access, "web": web})


def _find(path: Path | None) -> Path | None:
    named = path or (Path(env) if (env := os.environ.get("BROADSHEET_CONFIG")) else None)
    if named and not named.is_file():
        raise Invalid("There is no configuration file {path}.", hint="Check the name after --config.", path=str(named))
    here = Path("broadsheet.toml")
    return named or (here if here.is_file() else None)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Invalid(
            "{path} is not written in UTF-8.", hint="Save it as UTF-8 in your editor.", path=str(file)
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid(
            "{path} cannot be read: {detail}.",
            hint='Text stands in quotes: name = "..."; a table begins with [paper].',
            path=str(file),
            detail=str(error),
        ) from error


def _refuse_unknown_environment() -> None:
    for key in os.environ:
        if key.startswith("BROADSHEET_") and key not in _SPECIAL:
            section = key.removeprefix("BROADSHEET_").split("__")[0].lower()
            if section not in Settings.model_fields:
                raise Invalid(
                    "The environment variable {key} is not a setting.{nearest}",
                    hint="They are written BROADSHEET_SECTION__KEY, for example BROADSHEET_STORE__URL.",
                    key=key,
                    nearest=_nearest(section, list(Settings.model_fields)),
                )


def _siblings(loc: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for step in loc[:-1]:
        field = model.model_fields.get(str(step))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return " " + tr("Did you mean {nearest}?", nearest=close[0]) if close else ""


def _with_secrets(table: dict[str, Any]) -> dict[str, Any]:
    """A key `x_file` gives the content of that file as `x`, so that a secret need not stand in the settings."""
    told = dict(table)
    for key in [key for key in table if key.endswith("_file")]:
        file = Path(str(told.pop(key)))
        try:
            told[key.removesuffix("_file")] = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            detail = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise Invalid("The secret file {path} cannot be read: {detail}.", path=str(file), detail=detail) from None
    return told
