"""Outcomes of submissions, from the events of declarations, as their submitters may see them.

Owns: the view of declarations and of partners' events, its store and its texts. Keeps: every event is applied once, in
any order. Must not decide anything: the view is rebuilt from the topic.
"""

from gateway.outcomes.declarations import Outcomes
from gateway.outcomes.partner_events import EventOutcomes
from gateway.outcomes.routes import router
from gateway.outcomes.store import MongoEventOutcomes, MongoOutcomes
from gateway.outcomes.submissions import SubmissionOutcomes
from gateway.outcomes.subscribers import CONSUMED, OutcomeHandler

__all__ = [
    "CONSUMED",
    "EventOutcomes",
    "MongoEventOutcomes",
    "MongoOutcomes",
    "OutcomeHandler",
    "Outcomes",
    "SubmissionOutcomes",
    "router",
]
