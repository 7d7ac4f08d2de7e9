"""The command trade."""
