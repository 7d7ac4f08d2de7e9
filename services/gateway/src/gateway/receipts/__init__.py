"""Submissions that are kept: original bytes, receipts, and the event that passes each on."""
