"""What matching knows and decides: pure, without clock, storage or network."""
