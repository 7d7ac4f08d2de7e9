"""Notifies firms of events, by inbox and e-mail."""
