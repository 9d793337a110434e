"""A backend for medallion that is not quadratic: objects in order of their dates, found by bisection. It keeps
medallion's habits: one token for all pages, each use of which gives the next one; `{}` when there is nothing."""

import bisect
import uuid

from medallion.backends.base import Backend
from medallion.common import create_resource, string_to_datetime
from medallion.exceptions import ProcessingError

ROOT = {"title": "Fast", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 1}
COLLECTION = {"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "Many", "can_read": True, "can_write": False}


class FastBackend(Backend):
    def __init__(self, count, burst, **_):
        self.dates = ["2026-01-%02dT%02d:%02d:%02d.%06dZ" % (1 + second // 86400, second // 3600 % 24, second // 60 % 60, second % 60, 0)
                      for second in (number // burst for number in range(count))]
        self.times = [string_to_datetime(date) for date in self.dates]
        self.objects = [indicator(number) for number in range(count)]
        self.next = {}

    def server_discovery(self):
        return {"title": "Fast", "default": "/fast/", "api_roots": ["/fast/"]}

    def get_api_root_information(self, api_root):
        return ROOT if api_root == "fast" else None

    def get_collections(self, api_root):
        return create_resource("collections", [COLLECTION])

    def get_collection(self, api_root, collection_id):
        return COLLECTION if collection_id == COLLECTION["id"] else None

    def get_objects(self, api_root, collection_id, args, allowed, limit):
        token = args.get("next")
        if token is None:
            after = args.get("added_after")
            start = bisect.bisect_right(self.times, string_to_datetime(after)) if after else 0
            token = str(uuid.uuid4())
        elif token in self.next:
            start = self.next[token]
        else:
            raise ProcessingError("'next' not valid", 400)
        end = min(start + limit, len(self.objects))
        more = end < len(self.objects)
        if more:
            self.next[token] = end
        headers = {}
        if start < end:
            headers = {"X-TAXII-Date-Added-First": self.dates[start], "X-TAXII-Date-Added-Last": self.dates[end - 1]}
        return create_resource("objects", self.objects[start:end], more, token if more else None), headers


def indicator(number):
    return {
        "type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-%012x" % number,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "valid_from": "2026-01-01T00:00:00Z",
        "name": "Malicious host %d" % number, "indicator_types": ["malicious-activity"], "confidence": 80, "labels": ["c2", "botnet"],
        "pattern": "[domain-name:value = 'host-%d.evil.example']" % number, "pattern_type": "stix",
    }
