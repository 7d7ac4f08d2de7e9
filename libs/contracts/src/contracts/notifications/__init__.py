"""Payloads that the notifications topic carries, one module per major version."""
