"""What firms submit: declarations, projects, mandates."""
