"""The domain of matching: pure, without clock, storage or network."""
