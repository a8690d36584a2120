"""What surrounds every request: the reader's language before it, the headers that keep a page to itself after it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadcaster.language import Language, set_language

#: the cookie with the language that a reader chose
LANGUAGE = "language"

#: our own style sheet and nothing else; no script, no frame, no form, no request to anybody
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # with `no-referrer` browsers would not say either where a form of ours comes from
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: for a year the browser comes here by https only, whatever it is told; what else is under the domain is not ours
ONLY_TLS = "max-age=31536000"


class Frame:
    """ASGI middleware. What a handler has set itself stays."""

    def __init__(self, app: ASGIApp, paper_language: Language, public_url: str) -> None:
        self.app = app
        self.paper_language = paper_language
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked_for = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        wish = asked_for if asked_for in ("zh", "en") else ""
        asked = HTTPConnection(scope)
        kept = asked.cookies.get(LANGUAGE, "")
        accepted = asked.headers.get("accept-language", "")
        set_language(language_for(wish or kept, accepted, self.paper_language))

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE.items():
                    headers.setdefault(name, value)
                if over_tls(asked, self.public_url):
                    headers.setdefault("Strict-Transport-Security", ONLY_TLS)
                headers.add_vary_header("Accept-Language")
                headers.add_vary_header("Cookie")
                if wish and wish != kept:
                    headers.append("Set-Cookie", f"{LANGUAGE}={wish}; Path=/; Max-Age=31536000; SameSite=Lax")
            await send(message)

        await self.app(scope, receive, send_framed)


def over_tls(asked: HTTPConnection, public_url: str) -> bool:
    """Whether the browser came by https: to us, or to a proxy that stands at the public address."""
    if asked.url.scheme == "https":
        return True
    public = urlsplit(public_url)
    return public.scheme == "https" and public.netloc == asked.headers.get("host", "")


def language_for(wish: str, accepted: str, otherwise: Language) -> Language:
    """The language that was asked for by name (now or before), else what the browser likes best, else the paper's."""
    if wish in ("zh", "en"):
        return "zh" if wish == "zh" else "en"
    best: tuple[float, Language] = (0.0, otherwise)
    for choice in accepted.split(","):
        tag, _, parameters = choice.partition(";")
        main = tag.strip().lower().partition("-")[0]
        if main in ("zh", "en") and (weight := _weight(parameters)) > best[0]:
            best = (weight, "zh" if main == "zh" else "en")
    return best[1]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
