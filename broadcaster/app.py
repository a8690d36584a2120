"""The web doors in one application, and a server for it in a thread of this process."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from broadcaster import hooks
from broadcaster.newsroom import (
    account,
    checks,
    columns,
    composer,
    drafting,
    edition_counts,
    editions,
    entrance,
    first_run,
    gateways,
    item_drafts,
    item_page,
    item_pictures,
    items,
    member,
    member_import,
    members,
    new_member,
    organisations,
    own_phone,
    paper,
    past_imports,
    places,
    prices,
    proof_page,
    reading,
    records,
    search,
    segments,
    tabs,
    today,
    transfers,
    users,
    variant_page,
    well,
    who_gets,
    words,
)
from broadcaster.pages import drawing, readers
from broadcaster.pages import editions as pages
from broadcaster.runtime import Runtime
from broadcaster.web import assets, health, metrics, troubles
from broadcaster.web.doors import FormOfBefore, SessionOver
from broadcaster.web.frame import Frame
from subscribers.errors import Unavailable

#: seconds for which a connection waits for its next request: longer than the proxies that stand before this let it
_HELD = 75
#: seconds that open requests have to end
_STOP_WITHIN = 5


def make_web(runtime: Runtime) -> FastAPI:
    """Hooks, health, metrics and the newsroom of this installation. No description of itself is served."""
    # a redirect to the path with one slash less would name whatever host the request names
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, routes=_routes())
    app.state.runtime = runtime
    own, web = runtime.settings.paper, runtime.settings.web
    app.add_middleware(Frame, paper_language=own.language, public_url=web.public_url)
    # outermost: whoever is asked for the address or the scheme hears what a proxy of ours says
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.proxies))
    troubles.install(app, {"/p": drawing.draw_trouble})
    app.add_exception_handler(SessionOver, entrance.came_too_late)
    app.add_exception_handler(FormOfBefore, entrance.came_from_before)
    return app


@functools.cache
def _routes() -> list[BaseRoute]:
    """Those of every site. What each needs is worked out at the first request: once for all sites of this process."""
    doors = (hooks, health, metrics, assets, pages, readers)
    registry = (past_imports, member_import, segments, organisations, transfers, new_member, members, member)
    # what has a name of its own before what has a number
    desk = (
        editions,
        composer,
        checks,
        drafting,
        edition_counts,
        proof_page,
        who_gets,
        variant_page,
        tabs,
        reading,
        columns,
        items,
        item_drafts,
        item_pictures,
        item_page,
    )
    desks = (
        entrance,
        first_run,
        account,
        own_phone,
        today,
        places,
        well,
        search,
        *desk,
        *registry,
        users,
        gateways,
        prices,
        paper,
        words,
        records,
    )
    every = APIRouter()
    for room in (*doors, *desks):
        every.include_router(room.router)
    return every.routes


@contextlib.contextmanager
def serve(app: ASGIApp, host: str, port: int) -> Iterator[str]:
    """Serve for the length of the block; the address to open. Port 0: any free one. Raises `Unavailable`."""
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            # a line per request would hold numbers: some carriers write them into the address
            access_log=False,
            # in `make_web`, by our own settings
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=_HELD,
            timeout_graceful_shutdown=_STOP_WITHIN,
        )
        server = uvicorn.Server(config)
        # connections wait in the listener until the thread takes them
        thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
        thread.start()
        try:
            yield _address(listener)
        finally:
            server.should_exit = True
            thread.join(2 * _STOP_WITHIN)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Unavailable(
            "{host} port {port} cannot be used: {detail}.",
            hint="Choose another one with --port; 0 takes any that is free.",
            host=host,
            port=port,
            detail=error.strerror or str(error),
        ) from None
    # every connection has it from the listener: or the body of an answer waits 40 ms for the browser to have its head
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
