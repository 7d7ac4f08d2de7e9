"""Runs a service whose core is broken on purpose, and kills it where the break shows.

    python -m chaos.sabotage <break> <marker file> <service>

The process kills itself with SIGKILL once, at the moment named below; where the marker file stands
already it lives on, still broken. So the checker's tests see each break at its worst, every time.

    none                the core as it is; dies after saving, before its offsets are committed
    offset-before-save  commits, dies, would then save
    no-outbox           saves state without outbox, dies, would then publish
    trim-before-ack     saves, trims the outbox, dies, would then publish
    no-deduplication    saves, dies before committing, and forgets what it applied

and of notifications (`chaos.sabotage.mail_breaks`):

    mail-whole          as it is; dies when a mail was taken, before it is noted
    mail-unclaimed      sends without a claim, dies, would then note
    mail-renamed        sends under a new Message-ID each time, dies, would then note
    mail-kept-back      notes mails as sent, and sends none
"""

import os
import runpy
import signal
import sys
from pathlib import Path

from chaos.sabotage import core_breaks, mail_breaks

BREAKS = {**core_breaks.BREAKS, **mail_breaks.BREAKS}


def main() -> None:
    name, marker, service = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

    def die() -> None:
        if not marker.exists():
            marker.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    BREAKS[name](die)
    sys.argv = [service]
    runpy.run_module(service, run_name="__main__")


if __name__ == "__main__":
    main()
