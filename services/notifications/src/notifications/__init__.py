"""Events to people: inbox and e-mail."""
