"""Writes the configuration that makes mgodatagen load the same number of documents of the same shape.

Fields are enumerations walked in step, so that asset, metric, unit and tags belong together and the series come
in turn. What mgodatagen cannot make: regular timestamps (its dates are random in the window) and the daily
backup record (its share, 10 in 135,370, is made of the other series).
"""

import argparse
import json
from datetime import datetime
from typing import Any

from fleet import END, ENVIRONMENT, count_records, minute_series, start_of

SERIES = minute_series()


def enumeration(values: list[str]) -> dict[str, Any]:
    """A field that takes these values in turn; a constant where they are all the same."""
    if len(set(values)) == 1:
        return {"type": "constant", "constVal": values[0]}
    return {"type": "enum", "values": values}


def content(layout: str, days: int) -> dict[str, Any]:
    """The generators of one document."""
    timestamp = {"type": "date", "startDate": rfc3339(start_of(days)), "endDate": rfc3339(END)}
    # mgodatagen draws doubles from the lower half of the bounds it is given.
    value = {"type": "double", "min": 0, "max": 200}
    asset_id = enumeration([series.asset_id for series in SERIES])
    metric_name = enumeration([series.metric_name for series in SERIES])
    if layout == "timeseries":
        meta = {"type": "object", "objectContent": {"asset_id": asset_id, "metric_name": metric_name}}
        return {"timestamp": timestamp, "meta": meta, "value": value}
    tags = {
        "environment": {"type": "constant", "constVal": ENVIRONMENT},
        "asset_type": enumeration([series.asset_type for series in SERIES]),
    }
    return {
        "_id": {"type": "objectId"},
        "asset_id": asset_id,
        "metric_name": metric_name,
        "timestamp": timestamp,
        "value": value,
        "unit": enumeration([series.unit for series in SERIES]),
        "tags": {"type": "object", "objectContent": tags},
    }


def rfc3339(instant: datetime) -> str:
    return instant.isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", required=True)
    parser.add_argument("--layout", choices=["flat", "timeseries"], default="flat")
    parser.add_argument("--days", type=int, default=1)
    options = parser.parse_args()
    collection: dict[str, Any] = {
        "database": options.database,
        "collection": "metrics",
        "count": count_records(options.days),
        "content": content(options.layout, options.days),
    }
    # A time-series collection must be there before (see README.md), with its indexes.
    if options.layout == "flat":
        key = {"asset_id": 1, "metric_name": 1, "timestamp": 1}
        collection["indexes"] = [{"name": "_".join(f"{field}_1" for field in key), "key": key}]
    print(json.dumps([collection], indent=1))


if __name__ == "__main__":
    main()
