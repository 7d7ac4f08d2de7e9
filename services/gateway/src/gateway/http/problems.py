"""Refusals as RFC 9457 problem details: a stable type, every fault with its pointer, the trace id.

Texts come from the catalogue in the language asked for. Internals are never shown.
"""

from typing import Any

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from chassis import telemetry
from chassis.doors import AWAY_SECONDS, TRACE_ID, App, Instead, Scope
from gateway.domain.faults import Fault, Refused
from gateway.http.wording import in_words, language

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:trade:problem:"

STATUS = {
    "json-malformed": 400,
    "json-too-deep": 400,
    "xml-malformed": 400,
    "xml-hostile": 400,
    "xml-too-deep": 400,
    "invalid-header": 400,
    "invalid-parameter": 400,
    "key-missing": 401,
    "key-invalid": 401,
    "scope-missing": 403,
    "not-a-party": 403,
    "partner-not-registered": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "body-incomplete": 408,
    "too-large": 413,
    "xml-too-large": 413,
    "batch-too-long": 413,
    "media-type-not-read": 415,
    "invalid-event": 422,
    "unknown-event-type": 422,
    "invalid-declaration": 422,
    "invalid-project": 422,
    "invalid-mandate": 422,
    "wco-not-a-declaration": 422,
    "wco-function-not-taken": 422,
    "submission-conflict": 422,
    "too-many-requests": 429,
    "internal": 500,
    "not-in-time": 503,
    "overloaded": 503,
    "unavailable": 503,
    "notices-away": 503,
}
"""Every problem → its HTTP status."""

_IN_PLACE = {
    Instead.BUSY: "overloaded",
    Instead.AWAY: "unavailable",
    Instead.LATE: "not-in-time",
    Instead.BROKEN: "internal",
}


def problem(refused: Refused, lang: str, trace_id: str = "") -> dict[str, Any]:
    """The problem details of a refusal; the trace id defaults to that of the current span."""
    status = STATUS.get(refused.problem, 422)
    details: dict[str, Any] = {
        "type": TYPE + refused.problem,
        "title": in_words(f"gateway.title.{refused.problem}", lang, {}),
        "status": status,
        "detail": in_words(f"gateway.{refused.problem}", lang, refused.values),
    }
    if refused.faults:
        details["errors"] = [error(fault, lang) for fault in refused.faults]
    trace_id = trace_id or telemetry.current_trace_id()
    if trace_id:
        details["trace_id"] = trace_id
    return details


def error(fault: Fault, lang: str) -> dict[str, Any]:
    """One entry of `errors`."""
    shown = {
        "pointer": fault.pointer,
        "code": fault.code,
        "text": in_words(f"gateway.{fault.code}", lang, fault.values),
    }
    return shown if fault.value is None else {**shown, "value": fault.value}


def unanswered(scope: Scope, instead: Instead) -> App:
    """The answer to a request that the application did not answer. Its span has ended; the trace id is known."""
    lang = language(Headers(scope=scope).get("accept-language"))
    answer = response(Refused(_IN_PLACE[instead]), lang, scope.get("state", {}).get(TRACE_ID, ""))
    if instead in (Instead.LATE, Instead.BROKEN):
        # The rest of the request's body is not read.
        answer.headers["Connection"] = "close"
    return answer


def response(refused: Refused, lang: str, trace_id: str = "") -> JSONResponse:
    """A refusal as a response with its headers."""
    details = problem(refused, lang, trace_id)
    headers = {"Content-Language": lang}
    match refused.problem:
        case "key-missing" | "key-invalid":
            headers["WWW-Authenticate"] = "Bearer"
        case "notices-away":
            headers["Retry-After"] = str(AWAY_SECONDS)
        case "too-many-requests":
            headers["Retry-After"] = str(refused.values["seconds"])
    return JSONResponse(details, details["status"], headers, MEDIA_TYPE)
