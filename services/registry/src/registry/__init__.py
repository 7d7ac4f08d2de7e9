"""Who may trade."""
