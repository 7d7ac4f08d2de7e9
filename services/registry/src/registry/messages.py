"""Domain event ↔ contract."""

from contracts.registry import v1
from contracts.values import Identifier
from registry.domain.enterprise import Changed, Enterprise, Event, Registered, Reinstated, Role, Suspended

_REGISTERED = "trade.registry.enterprise.registered.v1"
_CHANGED = "trade.registry.enterprise.changed.v1"
_SUSPENDED = "trade.registry.enterprise.suspended.v1"
_REINSTATED = "trade.registry.enterprise.reinstated.v1"


class EnterpriseMessages:
    """Encodes and decodes the events of `registry.events.v1`."""

    def encode(self, event: Event, state: Enterprise) -> tuple[str, bytes]:
        """The event's type and JSON."""
        type_, payload = self._payload(event, state.id)
        return type_, payload.model_dump_json().encode()

    def decode(self, type: str, data: bytes) -> Event:  # noqa: A002 - CloudEvents' own name
        """The event that `encode` was given.

        Raises:
            KeyError: not a type of this topic.
        """
        match v1.EVENTS[type].model_validate_json(data):
            case v1.EnterpriseRegistered() as said:
                return Registered(said.enterprise_id, said.country, _numbers(said), _roles(said), said.warnings)
            case v1.EnterpriseChanged() as said:
                return Changed(_numbers(said), _roles(said), said.warnings)
            case v1.EnterpriseSuspended() as said:
                return Suspended(said.reason)
            case v1.EnterpriseReinstated() as said:
                return Reinstated(said.reason)
        raise KeyError(type)

    def _payload(self, event: Event, id_: str) -> tuple[str, v1.EnterpriseFact]:
        match event:
            case Registered():
                return _REGISTERED, v1.EnterpriseRegistered(
                    enterprise_id=id_,
                    country=event.country,
                    identifiers=_identifiers(event.numbers),
                    roles=_contract_roles(event.roles),
                    warnings=event.warnings,
                )
            case Changed():
                return _CHANGED, v1.EnterpriseChanged(
                    enterprise_id=id_,
                    identifiers=_identifiers(event.numbers),
                    roles=_contract_roles(event.roles),
                    warnings=event.warnings,
                )
            case Suspended():
                return _SUSPENDED, v1.EnterpriseSuspended(enterprise_id=id_, reason=event.reason)
            case Reinstated():
                return _REINSTATED, v1.EnterpriseReinstated(enterprise_id=id_, reason=event.reason)


def _identifiers(numbers: tuple[str, ...]) -> tuple[Identifier, ...]:
    parted = (number.partition(":") for number in numbers)
    return tuple(Identifier(scheme=scheme, value=value) for scheme, _, value in parted)


def _numbers(said: v1.EnterpriseRegistered | v1.EnterpriseChanged) -> tuple[str, ...]:
    return tuple(str(identifier) for identifier in said.identifiers)


def _contract_roles(roles: tuple[Role, ...]) -> tuple[v1.EnterpriseRole, ...]:
    return tuple(v1.EnterpriseRole(role) for role in roles)


def _roles(said: v1.EnterpriseRegistered | v1.EnterpriseChanged) -> tuple[Role, ...]:
    return tuple(Role(role) for role in said.roles)
