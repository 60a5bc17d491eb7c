"""What the verbs ask of the runtime, as types: the runtime itself is above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from gateway.exchange.translate import Maps
    from gateway.mapping.tables import Tables
    from gateway.region import Region
    from gateway.store.audit import Audit
    from gateway.store.cases import Cases
    from gateway.store.deliveries import Deliveries
    from gateway.store.intake import Intake
    from gateway.store.peers import Peers
    from gateway.store.reruns import Reruns
    from gateway.store.serials import Serials
    from gateway.transport.bell import Bell
    from gateway.transport.quota import Quota


class Now(Protocol):
    """A clock; aware times."""

    def now(self) -> datetime: ...


class Door(Protocol):
    """What the verb asks of the runtime."""

    @property
    def clock(self) -> Now: ...
    @property
    def new_id(self) -> Callable[[], UUID]: ...
    @property
    def credentials(self) -> Mapping[str, Any]: ...
    @property
    def tables(self) -> Tables: ...
    @property
    def maps(self) -> Maps: ...
    @property
    def intake(self) -> Intake: ...
    @property
    def serials(self) -> Serials: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def bell(self) -> Bell: ...
    @property
    def limiter(self) -> Quota: ...
    @property
    def regions(self) -> Mapping[str, Region]: ...


class Desk(Door, Protocol):
    """What staff verbs ask for beyond the door."""

    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def peers(self) -> Peers: ...
    @property
    def reruns(self) -> Reruns: ...
