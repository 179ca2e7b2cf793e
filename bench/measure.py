"""Runs a command and writes its user and system CPU seconds, peak memory (MB) and wall seconds as JSON to the first argument."""

import json
import resource
import subprocess
import sys
import time

out, *command = sys.argv[1:]
started = time.monotonic()
status = subprocess.call(command)
wall = time.monotonic() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(out, "w") as file:
    json.dump(
        {"user": usage.ru_utime, "system": usage.ru_stime, "maxRssMb": usage.ru_maxrss / 1024, "wall": wall},
        file,
    )
sys.exit(status)
