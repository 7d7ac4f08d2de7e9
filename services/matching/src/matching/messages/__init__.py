"""Maps domain events to contracts and back; no other module knows both."""

from matching.messages.listings import ListingMessages, listing_id, submission
from matching.messages.matches import MatchMessages

__all__ = ["ListingMessages", "MatchMessages", "listing_id", "submission"]
