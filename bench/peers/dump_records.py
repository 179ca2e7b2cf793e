"""Writes the records of a time-series `metrics` as plain BSON, one document a measurement, for mongorestore.

mongodump writes a time-series collection's buckets, and mongorestore then copies finished buckets: it inserts
no records. This makes the dump that compares with a loader. The collection that it is restored to must be made
before (pymongo_insert_many.py --prepare-only).
Prints one JSON line {records}.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument(
        "--out", required=True, type=Path, help="dump folder; the file is OUT/DATABASE/metrics.bson"
    )
    options = parser.parse_args()

    raw: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(options.uri)
    metrics = client[options.database]["metrics"].with_options(codec_options=raw)
    folder = options.out / options.database
    folder.mkdir(parents=True, exist_ok=True)
    records = 0
    with open(folder / "metrics.bson", "wb") as file:
        # Without _id, as the loader's own time-series documents are.
        for document in metrics.find({}, {"_id": 0}):
            file.write(document.raw)
            records += 1
    print(json.dumps({"records": records}))
    client.close()


if __name__ == "__main__":
    main()
