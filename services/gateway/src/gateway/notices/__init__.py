"""A firm's inbox, as notifications keeps it."""
