"""For whatever watches the process: does it live, can it work."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from broadcaster.web.house import House
from broadcaster.web.readiness import checks, for_strangers
from broadcaster.web.strangers import is_stranger

router = APIRouter(prefix="/health")


@router.get("/live")
def live() -> JSONResponse:
    """The process answers. Nothing else is looked at: a database that is away is no reason to start it anew."""
    return JSONResponse({"ok": True})


@router.get("/ready")
def ready(request: Request, house: House) -> JSONResponse:
    """Database, queue and gateways; 503 while one of them is not well. Strangers are not told what it is."""
    found = checks(house)
    if is_stranger(request, house.settings.web):
        found = [for_strangers(check) for check in found]
    ok = all(check.ok for check in found)
    return JSONResponse({"ok": ok, "checks": [dataclasses.asdict(check) for check in found]}, 200 if ok else 503)
