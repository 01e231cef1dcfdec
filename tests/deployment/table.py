"""The table, read straight and whole, as only a test may."""

import json
import re
from collections import Counter
from pathlib import Path

from boto3.dynamodb.types import TypeDeserializer

# <instant>#<message>#<attempt>
_RECORD = re.compile(r"\d{15}#[0-9a-f]{32}#\d+")
_read = TypeDeserializer().deserialize


class Table:
    def __init__(self, client, name: str):
        self.client, self.name = client, name

    def items(self) -> list[dict]:
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [{name: _read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def keep(self, path: Path) -> Path:
        path.write_text(
            json.dumps(sorted(self.items(), key=lambda item: (item["pk"], item["sk"])), indent=1, default=str)
        )
        return path

    def of(self, clinic: str) -> "Clinic":
        return Clinic(
            [item for item in self.items() if item["pk"] == f"T#{clinic}" or item["pk"].startswith(f"T#{clinic}#")]
        )


class Clinic:
    """What the table held of a clinic at one moment."""

    def __init__(self, items: list[dict]):
        self.items = items

    def _sorted_under(self, prefix: str) -> list[dict]:
        return [item for item in self.items if item["sk"].startswith(prefix)]

    def _patient(self, item: dict) -> str:
        return item["pk"].split("#P#", 1)[-1]

    def patients(self) -> dict[str, dict]:
        return {self._patient(item): item for item in self.items if item["sk"] == "PATIENT"}

    def enrollments(self) -> dict[str, list[dict]]:
        return self._by_patient("E#")

    def messages(self) -> dict[str, list[dict]]:
        return self._by_patient("M#")

    def answers(self) -> dict[str, list[dict]]:
        return self._by_patient("A#")

    def _by_patient(self, prefix: str) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for item in self.items:
            if "#P#" in item["pk"] and item["sk"].startswith(prefix):
                found.setdefault(self._patient(item), []).append(item)
        return found

    def bookings(self) -> list[dict]:
        return [item for item in self.items if item["pk"].endswith("#AGENDA")]

    def slots(self) -> list[dict]:
        return [item for item in self.items if item["pk"].endswith("#SLOTS")]

    def calls(self) -> list[dict]:
        return [item for item in self.items if item["pk"].endswith("#CALLS")]

    def reports(self) -> list[dict]:
        return self._sorted_under("IMPORT#")

    def audit(self) -> list[dict]:
        """The records of claims, without whatever else is kept beside them."""
        return [item for item in self.items if "#AUDIT#" in item["pk"] and _RECORD.fullmatch(item["sk"])]

    def states(self, *channels: str) -> Counter:
        """How many messages stand how; of these channels, or of all."""
        messages = [message for of in self.messages().values() for message in of]
        return Counter(message["st"] for message in messages if not channels or message.get("channel") in channels)
