"""For whatever watches the process: does it live, can it work."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from broadcaster.web.house import House
from broadcaster.web.readiness import checks

router = APIRouter(prefix="/health")


@router.get("/live")
def live() -> JSONResponse:
    """The process answers. Nothing else is looked at: a database that is away is no reason to start it anew."""
    return JSONResponse({"ok": True})


@router.get("/ready")
def ready(house: House) -> JSONResponse:
    """Database, queue and gateways; 503 while one of them is not well."""
    found = checks(house)
    ok = all(check.ok for check in found)
    return JSONResponse({"ok": ok, "checks": [dataclasses.asdict(check) for check in found]}, 200 if ok else 503)
