"""Contests: calls that take turns in one process, so that whatever else the machine does hits them alike."""

import gc
import json
import os
import sys
from time import perf_counter_ns

# Short calls are repeated until a turn takes this long (ns).
TURN = 100_000
# Before a turn of calls shorter than this there is one that does not count: it brings the data into the
# cache, and lets threads of the one before come to rest.
SHORT = 5_000_000


def contest(part, work, elements, calls, seconds, least=5, most=201, **more):
    """Lets calls take turns for about so many seconds, and prints a line of JSON: the nanoseconds of a
    call in each turn."""

    def once(call):
        start = perf_counter_ns()
        call()
        return max(perf_counter_ns() - start, 1)

    for call in calls.values():  # The first call may set things up.
        call()
    takes = {name: once(call) for name, call in calls.items()}
    repeats = {name: TURN // took + 1 for name, took in takes.items()}
    turns = seconds * 1e9 / sum(takes[name] * repeats[name] for name in calls)
    times = {name: [] for name in calls}
    gc.disable()
    for _ in range(int(min(max(turns, least), most))):
        for name, call in calls.items():
            if takes[name] < SHORT:
                call()
            again = range(repeats[name])
            start = perf_counter_ns()
            for _ in again:
                call()
            times[name].append((perf_counter_ns() - start) / len(again))
    gc.enable()
    threads = int(os.environ.get("RAYON_NUM_THREADS", os.cpu_count()))
    record = {"part": part, "work": work, "elements": elements, "threads": threads, "times": times}
    print(json.dumps(record | more), flush=True)
    print(f"  {work}, {elements} elements", file=sys.stderr)
