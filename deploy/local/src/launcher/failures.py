"""Failures on the user's machine, each reported in one line that says what to do."""

import errno


class LauncherError(Exception):
    """Something is missing or in the way; the message is one line for the user, shown without a stack trace."""


def explain(error: OSError) -> LauncherError:
    """An error of the operating system, as a line that says what to do."""
    where = error.filename or "the working folder"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return LauncherError(f"The disk is full ({where}): free some space and try again.")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return LauncherError(
                f"No permission to write {where}: make it writable for this user, or set TRADE_RUN_DIR."
            )
        case errno.EMFILE | errno.ENFILE:
            return LauncherError("Too many open files: raise the limit with `ulimit -n 4096` and try again.")
        case _:
            return LauncherError(f"The operating system refused: {error}.")
