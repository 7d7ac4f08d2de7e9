"""The life cycle of a customs declaration, from lodging to release and exit."""
