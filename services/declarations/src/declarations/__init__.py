"""The life of a declaration, from lodging to release and exit."""
