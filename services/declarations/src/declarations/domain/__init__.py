"""What a declaration is and how it lives: pure, without clock, database, broker or library."""
