"""A service without a business, for tests of the core: it counts, asks a peer, bills by a deadline, sends letters."""
