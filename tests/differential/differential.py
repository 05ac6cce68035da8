#!/usr/bin/python3
"""Plays the same random sessions on a reference server and a candidate and compares all that they answer.

    differential.py --candidate build/release/bin/tandem-server --seed 1 --transactions 20000
    differential.py --candidate … --replay failure.json
    differential.py --reference build/release/bin/tandem-server --candidate build/release/bin/tandem-server --through relay
"""

import argparse
import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from cases import Script  # noqa: E402
from contest import CutShort, compare  # noqa: E402
from harness import environment  # noqa: E402
from participant import Behind  # noqa: E402
from shrinking import shrink  # noqa: E402

_CASE_TRANSACTIONS = 250
_REPLAYS = 5


def main():
    options = _options()
    if options.replay:
        case = json.loads(pathlib.Path(options.replay).read_text())
        try:
            difference = compare(case, options.reference, options.candidate)
        except CutShort as error:
            print(f"cut short: {error}")
            return 0
        print(_describe(case, difference) if difference else "no difference")
        return 1 if difference else 0
    started = time.monotonic()
    done = failures = cut_short = 0
    seed = options.seed * 1000000
    while done < options.transactions and failures < options.failures:
        script = Script(seed, _CASE_TRANSACTIONS, options.copy)
        try:
            difference = compare(script.case, options.reference, options.candidate, script)
            if difference and _is_race(script.case, difference, options):
                raise CutShort("a wait of milliseconds ends sooner or later than what it waits for")
            if difference:
                failures += 1
                _fail(script.case, difference, options)
        except CutShort as error:
            cut_short += 1
            print(f"case {seed} cut short: {error}", flush=True)
        done += script.transactions
        seed += 1
        if seed % 20 == 0:
            print(f"{done} transactions, {failures} failures, {time.monotonic() - started:.0f} s", flush=True)
    print(f"seed {options.seed}: {done} transactions, {failures} failures, {cut_short} cases cut short, "
          f"{time.monotonic() - started:.0f} s")
    return 1 if failures else 0


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=os.path.abspath, default=str(environment.STOCK_SERVER),
                        help="the server that is right")
    parser.add_argument("--candidate", type=os.path.abspath, default=str(environment.SERVER),
                        help="the server under test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transactions", type=int, default=20000)
    parser.add_argument("--failures", type=int, default=1, help="stop after so many failures")
    parser.add_argument("--shrink-seconds", type=float, default=60)
    parser.add_argument("--output", default=".", help="folder for failing cases")
    parser.add_argument("--replay", help="play one failing case again")
    parser.add_argument("--through", dest="copy", choices=["relay", "backup"],
                        help="with a copy in front of the candidate, which has it execute what writes")
    options = parser.parse_args()
    if options.copy:
        options.candidate = Behind(options.candidate, options.copy)
    return options


def _is_race(case, difference, options):
    """True when it is about a wait that timed out, and does not come each time that CASE is played."""
    if "timed out after a while" not in difference.expected + difference.actual:
        return False
    return any(not compare(case, options.reference, options.candidate) for _ in range(_REPLAYS))


def _fail(case, difference, options):
    """Shrinks CASE, writes it to a file, and says what is wrong."""
    print(f"case {case['seed']}: {_describe(case, difference)}\nshrinking…", flush=True)
    case = {**case, "steps": case["steps"][: difference.step + 1] if difference.step >= 0 else case["steps"]}
    signature = _signature(difference)
    smaller = shrink(case, lambda c: _differs(c, signature, options), options.shrink_seconds)
    pathlib.Path(options.output).mkdir(parents=True, exist_ok=True)
    file = pathlib.Path(options.output) / f"differential-{case['seed']}.json"
    file.write_text(json.dumps(smaller, indent=1))
    difference = compare(smaller, options.reference, options.candidate)
    if difference:
        print(f"--- shrunk\n{_describe(smaller, difference)}")
        for step in smaller["steps"]:
            print(json.dumps(step))
        print(f"schema: {json.dumps(smaller['schema'])}")
    print(f"replay with --replay {file}", flush=True)


def _differs(case, signature, options):
    """True when CASE shows a difference of the same kind."""
    try:
        difference = compare(case, options.reference, options.candidate, variants=5)
    except CutShort:
        return False
    return difference is not None and _signature(difference) == signature


def _signature(difference):
    """What kind of difference it is: the words around the place where the answers part."""
    same = len(os.path.commonprefix([difference.expected, difference.actual]))
    return [re.findall("[a-z]{3,}", text[:8] + text[max(0, same - 10) : same + 20])
            for text in (difference.expected, difference.actual)]


def _describe(case, difference):
    step = case["steps"][difference.step] if difference.step >= 0 else "final dump"
    return (f"step {difference.step} of {len(case['steps'])}: {json.dumps(step)[:2000]}\n"
            f"reference: {difference.expected[:3000]}\ncandidate: {difference.actual[:3000]}")


if __name__ == "__main__":
    sys.exit(main())
