"""The rules of the gateway: receipts, access, keys, grants, outcomes. Pure."""
