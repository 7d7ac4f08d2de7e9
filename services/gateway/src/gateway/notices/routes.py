"""A firm's inbox: what the platform told it, newest first.

The only route that needs another service. While that is away, it alone answers 503.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.domain.access import OwnerKind
from gateway.domain.faults import Refused
from gateway.http.application import Door
from gateway.http.requests import page_asked
from gateway.notices.notifications_client import NoticeShown


def router(door: Door) -> APIRouter:
    """The route of the inbox."""
    routes = APIRouter()

    @routes.get("/v1/notices", summary="What the firm was told, newest first; `page` is the answer's `next_page`")
    async def get_notices(request: Request) -> Response:
        owner = (await door.enter(request)).owner
        if owner.kind is not OwnerKind.FIRM:
            raise Refused("not-found")
        limit, page = page_asked(request)
        found = await door.notices.of_firm(owner.code, limit=limit, page=page)
        fields: dict[str, Any] = {"notices": [_fields(each) for each in found.notices]}
        if found.next_page:
            fields["next_page"] = found.next_page
        return JSONResponse(fields)

    return routes


def _fields(notice: NoticeShown) -> dict[str, Any]:
    fields = {
        "id": notice.id,
        "delivered_at": notice.delivered_at.isoformat(),
        "template": notice.template,
        "language": notice.language,
        "subject": notice.subject,
        "body": notice.body,
    }
    return fields | ({"ucr": notice.ucr} if notice.ucr else {})
