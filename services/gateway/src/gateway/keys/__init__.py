"""Keys of partners and firms: issued and ended by staff, shown at the HTTP door."""
