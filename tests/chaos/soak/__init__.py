"""The whole platform under traffic and seeded faults for as long as asked: `make soak`."""
