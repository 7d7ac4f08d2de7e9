"""Payloads that the partners topic carries, one module per major version."""
