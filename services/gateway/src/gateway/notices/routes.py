"""A firm's inbox: its notices, newest first.

The only route that calls another service. While that is unreachable, only this route answers 503.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.domain.access import OwnerKind
from gateway.domain.faults import Refused
from gateway.http.admission import Admission
from gateway.http.requests import page_asked
from gateway.notices.notifications_client import Notices, NoticeShown


def router(admission: Admission, notices: Notices) -> APIRouter:
    """The route of the inbox."""
    routes = APIRouter()

    @routes.get("/v1/notices", summary="The firm's notices, newest first; `page` is the last answer's `next_page`")
    async def get_notices(request: Request) -> Response:
        owner = (await admission.enter(request)).owner
        if owner.kind is not OwnerKind.FIRM:
            raise Refused("not-found")
        limit, page = page_asked(request)
        found = await notices.of_firm(owner.code, limit=limit, page=page)
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
