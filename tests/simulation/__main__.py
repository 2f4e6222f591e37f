"""Run scenarios over seeds for a while of CPU time; the first failure ends it with the command that replays it.

python -m tests.simulation [--seconds 1800] [--seed 0] [--seeds N] [--faults 0.02] [SCENARIO...]
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.scenarios import ALL
from stratolite.testing.cloud import TestCloud


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=float, default=1800, help="of CPU time")
    words.add_argument("--seed", type=int, default=0, help="the first seed")
    words.add_argument("--seeds", type=int, default=1_000_000, help="how many seeds at the most")
    words.add_argument("--faults", type=float, default=0.02, help="how often a sick place fails")
    words.add_argument("scenario", nargs="*", default=sorted(ALL))
    asked = words.parse_args()
    logging.disable(logging.CRITICAL)
    runs, deaths, struck = 0, 0, Counter[str]()
    for seed in range(asked.seed, asked.seed + asked.seeds):
        for name in asked.scenario:
            try:
                with TestCloud(seed, asked.faults, durable=True) as cloud:
                    ALL[name](cloud)
            except Exception:
                traceback.print_exc()
                print(f"\nreplay: python -m tests.simulation --seed {seed} --seeds 1 --faults {asked.faults} {name}")
                return 1
            runs, deaths = runs + 1, deaths + cloud.deaths
            struck.update(cloud.world.struck)
        if time.process_time() > asked.seconds:
            break
        if seed % 10 == 9:
            print(f"{runs} runs, {deaths} deaths, {time.process_time():.0f} s of CPU", flush=True)
    print(f"{runs} runs passed, {deaths} deaths, {time.process_time():.0f} s of CPU")
    print(f"injected: {dict(struck.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
