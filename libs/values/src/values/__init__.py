"""Value types that every service reads alike: one thing has one name, one number has one spelling.

Two kinds live here. **References** (`references`, `identifiers`) bring what was written into one normal form when
they are built, and never refuse: what was kept once can always be read again. Whether a reference may be used is
asked at a door (`fault`, `warning`). **Readers** (`numbers`, `moments`) turn a text into a number or a moment by one
strict grammar, and raise `NotOfItsForm` for everything else.

The standard library alone is imported, so that domains may use this package.
"""
