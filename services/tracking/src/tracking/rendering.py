"""Renders pages and problems."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from contracts.texts import LANGUAGES
from tracking.views import Reader

_PAGES = Path(__file__).parent / "pages"


class Pages:
    """The templates and their environment."""

    def __init__(self, address: Callable[[str, str], str]) -> None:
        # `autoescape` keeps a partner's text from becoming markup. Templates are never reloaded.
        self._environment = Environment(
            loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )
        self._address = address

    @property
    def style(self) -> str:
        return (_PAGES / "style.css").read_text(encoding="utf-8")

    def answer(self, name: str, request: Request, reader: Reader, status: int = 200, /, **values: Any) -> Response:
        """A page in the reader's language."""
        page = self._environment.get_template(name).render(
            say=reader.say,
            language=reader.language,
            languages={language: same_in(request, language) for language in LANGUAGES},
            address=lambda thread: self._address(thread, reader.language),
            **values,
        )
        return HTMLResponse(page, status)

    def problem(self, request: Request, reader: Reader, status: int, text: str, title: str = "title") -> Response:
        """An error answer, as a page or as a problem (RFC 9457)."""
        heading = reader.say(f"problem.{title}")
        if wants_html(request):
            return self.answer("problem.html", request, reader, status, heading=heading, text=text, front=None)
        problem = {"type": "about:blank", "title": heading, "status": status, "detail": text}
        return JSONResponse(problem, status, media_type="application/problem+json")


def same_in(request: Request, language: str) -> str:
    """The same URL in another language; all other parameters stay."""
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return "?" + urlencode([*others, ("lang", language)])


def wants_html(request: Request) -> bool:
    """Whether the client prefers HTML to JSON."""
    accept = request.headers.get("accept", "")
    html = accept.find("text/html")
    json = accept.find("application/json")
    return html >= 0 and (json < 0 or html < json)
