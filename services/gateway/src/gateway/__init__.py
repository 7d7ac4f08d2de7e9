"""The only entry point for partners and firms."""
