"""The only door for partners and firms."""
