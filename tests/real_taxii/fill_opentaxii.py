"""Fills the database that OPENTAXII_CONFIG names: fill_opentaxii.py COUNT BURST MICROSECOND. Prints the id of the collection."""

import datetime
import sys

from opentaxii.cli import app, server
from opentaxii.persistence.sqldb import taxii2models

count, burst, microsecond = (int(word) for word in sys.argv[1:4])
with app.app_context():
    api = server.servers.taxii2.persistence.api
    root = api.add_api_root(title="Root", default=True, is_public=True)
    collection = api.add_collection(api_root_id=root.id, title="Many", is_public=True)
    api.add_collection(api_root_id=root.id, title="Hidden")
    start = datetime.datetime(2026, 1, 1, 0, 0, 0, microsecond, tzinfo=datetime.timezone.utc)
    for number in range(count):
        api.db.session.add(taxii2models.STIXObject(
            id="indicator--00000000-0000-4000-8000-%012x" % number,
            collection_id=collection.id, type="indicator", spec_version="2.1",
            date_added=start + datetime.timedelta(seconds=number // burst), version=start,
            serialized_data={
                "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "valid_from": "2026-01-01T00:00:00Z",
                "pattern": "[domain-name:value = 'host-%d.evil.example']" % number, "pattern_type": "stix",
            },
        ))
    api.db.session.commit()
    print(collection.id)
