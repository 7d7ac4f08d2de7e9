"""Payloads that the matching topic carries, one module per major version."""
