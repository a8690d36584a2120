"""What every route needs of the house."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from broadcaster.runtime import Runtime


async def _runtime(request: Request) -> Runtime:
    made: Runtime = request.app.state.runtime
    return made


House = Annotated[Runtime, Depends(_runtime)]
