"""Payloads that the declarations topic carries, one module or package per major version."""
