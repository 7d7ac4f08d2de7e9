"""The outcome of a receipt's submission: a declaration or a partner's event."""

from typing import Any

from gateway.domain.outcome import RECEIVED, of_receipt
from gateway.domain.receipt import Kind, Receipt
from gateway.outcomes import partner_events
from gateway.outcomes.declarations import Outcomes, shown
from gateway.outcomes.partner_events import EventOutcomes


class SubmissionOutcomes:
    """Stored outcomes of declarations and of partners' events, by receipt."""

    def __init__(self, outcomes: Outcomes, event_outcomes: EventOutcomes) -> None:
        self._outcomes = outcomes
        self._event_outcomes = event_outcomes

    async def of_receipt(self, receipt: Receipt, lang: str) -> dict[str, Any]:
        """The status and outcome in a language; status `received` while nothing is known."""
        match receipt.kind:
            case Kind.DECLARATION:
                steps = of_receipt(await self._outcomes.steps(receipt.declaration_id), receipt.id)
                declaration = shown(receipt.declaration_id, steps, lang)
                return {"status": declaration["state"], "declaration": declaration}
            case Kind.EVENT:
                return await partner_events.load_view(self._event_outcomes, receipt, lang)
            case _:
                return {"status": RECEIVED}
