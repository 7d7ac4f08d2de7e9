"""Who may trade: enterprises, their numbers, and what may happen to them. Pure."""
