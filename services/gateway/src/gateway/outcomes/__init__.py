"""What became of submissions, from the events of their owner."""
