"""The whole surface, put together. Made by `status.serve`."""

from __future__ import annotations

from starlette.routing import Route

from status.api.database import Database
from status.api.deliveries import DeliveryRoutes
from status.api.events import EventRoutes
from status.api.health import HealthRoutes
from status.api.house import House
from status.api.jobs import JobRoutes
from status.api.logs import LogRoutes
from status.api.outputs import OutputRoutes
from status.api.runs import RunRoutes
from status.api.scrape import ScrapeRoutes
from status.api.search import SearchRoutes
from status.api.source import SourceRoutes
from status.api.usage import UsageRoutes
from status.lists.records import RecordRoutes
from status.openapi.document import OpenApiRoutes
from status.streams.routes import Streams


class Api:
    """The endpoints of one process."""

    def __init__(self, house: House) -> None:
        self.database = Database(house.home)
        self.streams = Streams(house.home, house.now)
        self._resources = (
            JobRoutes(house, self.database),
            HealthRoutes(house),
            ScrapeRoutes(house, self.database),
            SourceRoutes(house),
            SearchRoutes(self.database),
            RunRoutes(house, self.database),
            EventRoutes(house, self.database, self.streams),
            LogRoutes(house, self.database, self.streams),
            OutputRoutes(house, self.database),
            UsageRoutes(house, self.database),
            DeliveryRoutes(house, self.database),
            OpenApiRoutes(),
            RecordRoutes(house.home, self.database.ask, nonce=f"{house.now():x}"),
        )

    def routes(self) -> list[Route]:
        """In the order in which they are tried: those with fewer names in their path first, so that a second segment
        that is a sub-resource's word is the sub-resource. A job of that name is reached by all three segments,
        `/api/v1/jobs/{project}/{job}/status`."""
        found = [route for resource in self._resources for route in resource.routes()]
        return sorted(found, key=lambda route: len(route.param_convertors))
