"""A plain single-threaded loader, as the manual's seed_database.py works: minute by minute, every asset, plain
dicts, `insert_many` in batches of 1,000. Collections and indexes are made before the clock starts.

Prints one JSON line {records, seconds}. --order series writes one series after the other instead, which
time-series collections take better; --prepare-only makes the collections and indexes and stops.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pymongo

from fleet import (
    ENVIRONMENT,
    MINUTES_PER_DAY,
    Series,
    assets,
    backup_series,
    minute_series,
    prepare,
    start_of,
)

BATCH_SIZE = 1000
"""The manual's default."""

NOISE = 5.0

WAVE = [math.sin(2 * math.pi * minute / MINUTES_PER_DAY) for minute in range(MINUTES_PER_DAY)]

BACKUP_WINDOW = range(60, 300)
"""Minutes of the day in which backups run: 01:00 to 04:59."""


def flat(series: Series, timestamp: datetime, value: float) -> dict[str, Any]:
    return {
        "asset_id": series.asset_id,
        "metric_name": series.metric_name,
        "timestamp": timestamp,
        "value": value,
        "unit": series.unit,
        "tags": {"environment": ENVIRONMENT, "asset_type": series.asset_type},
    }


def timeseries(series: Series, timestamp: datetime, value: float) -> dict[str, Any]:
    return {
        "timestamp": timestamp,
        "meta": {"asset_id": series.asset_id, "metric_name": series.metric_name},
        "value": value,
    }


DOCUMENT = {"flat": flat, "timeseries": timeseries}


def draw_value(series: Series, minute: int) -> float:
    """A sine over the day with some noise; a series without an amplitude is constant."""
    if not series.amplitude:
        return series.mean
    noise = random.uniform(-NOISE, NOISE)
    return max(0.0, round(series.mean + series.amplitude * WAVE[minute] + noise, 2))


def by_minute(layout: str, days: int) -> Iterator[dict[str, Any]]:
    """Every record of the window in time order, as the manual's program makes them."""
    document = DOCUMENT[layout]
    every_minute, every_day = minute_series(), backup_series()
    for day in range(days):
        start = start_of(days) + timedelta(days=day)
        backups = {series: draw_backup_minute() for series in every_day}
        for minute in range(MINUTES_PER_DAY):
            timestamp = start + timedelta(minutes=minute)
            for series in every_minute:
                yield document(series, timestamp, draw_value(series, minute))
            if minute in BACKUP_WINDOW:
                for series, backup_minute in backups.items():
                    if backup_minute == minute:
                        yield document(series, timestamp, series.mean)


def by_series(layout: str, days: int) -> Iterator[dict[str, Any]]:
    """The same records one series after the other: the order a server likes best."""
    document = DOCUMENT[layout]
    start = start_of(days)
    for series in minute_series():
        for minute in range(days * MINUTES_PER_DAY):
            timestamp = start + timedelta(minutes=minute)
            yield document(series, timestamp, draw_value(series, minute % MINUTES_PER_DAY))
    for series in backup_series():
        for day in range(days):
            timestamp = start + timedelta(days=day, minutes=draw_backup_minute())
            yield document(series, timestamp, series.mean)


def draw_backup_minute() -> int:
    return random.randrange(BACKUP_WINDOW.start, BACKUP_WINDOW.stop)


ORDER = {"minute": by_minute, "series": by_series}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--layout", choices=sorted(DOCUMENT), default="flat")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--order", choices=sorted(ORDER), default="minute")
    parser.add_argument(
        "--prepare-only", action="store_true", help="make the collections and indexes, load nothing"
    )
    options = parser.parse_args()
    if not pymongo.has_c():
        parser.error(
            "pymongo lacks its C extension: its figure would say nothing about pymongo as it is used"
        )

    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(options.uri)
    db = client[options.database]
    prepare(db, options.layout)
    if options.prepare_only:
        return
    db["assets"].insert_many(assets())
    metrics = db["metrics"]

    records = 0
    batch: list[dict[str, Any]] = []
    started = time.perf_counter()
    for document in ORDER[options.order](options.layout, options.days):
        batch.append(document)
        if len(batch) == BATCH_SIZE:
            records += len(metrics.insert_many(batch, ordered=False).inserted_ids)
            batch = []
    if batch:
        records += len(metrics.insert_many(batch, ordered=False).inserted_ids)
    print(json.dumps({"records": records, "seconds": round(time.perf_counter() - started, 3)}))
    client.close()


if __name__ == "__main__":
    main()
