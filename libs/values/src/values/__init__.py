"""Value types shared by all services: every spelling of a reference or number has one normal form.

There are two kinds. **References** (`references`, `identifiers`) normalise the text they are built from and never
refuse it, so that stored values can always be read again. The doors check whether one may be used (`fault`,
`warning`). **Readers** (`numbers`, `moments`) parse a text by one strict grammar, and raise `NotOfItsForm` otherwise.

It imports only the standard library, so that domains may use it.
"""
