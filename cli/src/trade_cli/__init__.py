"""The command `trade`."""
