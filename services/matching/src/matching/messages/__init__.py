"""Domain events ↔ contracts: the only place that knows both."""

from matching.messages.listings import ListingMessages, listing_id, submission
from matching.messages.matches import MatchMessages

__all__ = ["ListingMessages", "MatchMessages", "listing_id", "submission"]
