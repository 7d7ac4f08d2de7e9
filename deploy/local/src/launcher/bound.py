"""Runs a program that the kernel kills when its launcher dies, for whatever reason.

Usage: python bound.py <pid of the launcher> <program> [arguments]

It is a separate program that executes the real one, because Python cannot safely run code between fork and exec in a
process with threads. Linux ties the signal to the *thread* that started the child, so start children from a thread
that lives as long as they should.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    launcher, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != launcher:
        sys.exit("the launcher died first")
    os.execvp(command[0], command)  # noqa: S606 - the launcher's own argument list, no shell


if __name__ == "__main__":
    main()
