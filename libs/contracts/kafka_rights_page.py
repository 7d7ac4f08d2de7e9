"""Writes the page of Kafka users and their rights, from the topics table.

Usage: python libs/contracts/kafka_rights_page.py --write | --check
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from contracts.kafka_rights import Right, rights_of, rights_of_partner
from contracts.topics import SERVICES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbooks" / "kafka-rights.md"

_HEAD = """# Rights of Kafka users

Generated from the topics table by `make rights`. Each service has a user of its own, with these rights and no
other: run the broker with an authorizer and without `allow.everyone.if.no.acl.found`. `Create` is for
`python -m <service> prepare`. To change settings of an existing topic takes `AlterConfigs`, which no service has: an
operator does it.

| user | on | rights |
|---|---|---|
"""

_COMMANDS = """
## As commands

`B` is a broker's address, `C` a file with the operator's credentials. `PARTNER` is a partner's code.

```sh
{commands}
```
"""


def page() -> str:
    users = {service: rights_of(service) for service in SERVICES} | {"PARTNER": rights_of_partner("PARTNER")}
    pairs = [(user, right) for user, given in users.items() for right in given]
    rows = [f"| {user} | {_on(right)} | {', '.join(right.operations)} |" for user, right in pairs]
    commands = "\n".join(" ".join(_words(user, right)) for user, right in pairs)
    return _HEAD + "\n".join(rows) + "\n" + _COMMANDS.format(commands=commands)


def _on(right: Right) -> str:
    return f"{right.kind} `{right.name}{'*' if right.prefixed else ''}`"


def _words(user: str, right: Right) -> Iterator[str]:
    yield f"kafka-acls.sh --bootstrap-server $B --command-config $C --add --allow-principal 'User:{user}'"
    yield f"--{right.kind} '{right.name}'"
    if right.prefixed:
        yield "--resource-pattern-type prefixed"
    yield from (f"--operation {operation}" for operation in right.operations)


def main() -> int:
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page())
        return 0
    if not PAGE.exists() or PAGE.read_text() != page():
        print(f"{PAGE.name} is not what the topics table says; run `make rights`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
