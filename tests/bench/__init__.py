"""What the core costs: one command measures it, side by side with what the same work costs without a platform."""
