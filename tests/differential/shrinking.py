"""Makes a failing case small: delta debugging over its steps, then requests, then operations."""

import time


def shrink(case, fails, seconds):
    """The smallest case found within SECONDS for which FAILS(case) is still true."""
    deadline = time.monotonic() + seconds

    def holds(candidate):
        return time.monotonic() < deadline and fails(candidate)

    steps = _reduce(case["steps"], lambda steps: holds({**case, "steps": steps}))
    for level in (_requests, _operations):
        number = 0
        while number < len(steps):
            if steps[number]["do"] == "send":
                def with_parts(parts, number=number, level=level):
                    return [*steps[:number], level(steps[number], parts), *steps[number + 1:]]
                parts = _reduce(level(steps[number]), lambda parts: holds({**case, "steps": with_parts(parts)}))
                steps = with_parts(parts)
            number += 1
    tables = case["schema"]["tables"]
    return {**case, "steps": steps, "schema": {**case["schema"], "tables": tables}}


def _requests(step, parts=None):
    if parts is None:
        return step["requests"]
    return {**step, "requests": parts}


def _operations(step, parts=None):
    """The operations of all transactions of STEP, each with the number of its request; or STEP with these."""
    if parts is None:
        return [(number, operation) for number, request in enumerate(step["requests"])
                if request["method"] == "transact" for operation in request["params"][1:]]
    requests = [{**request, "params": request["params"][:1]} if request["method"] == "transact" else request
                for request in step["requests"]]
    for number, operation in parts:
        requests[number] = {**requests[number], "params": [*requests[number]["params"], operation]}
    return {**step, "requests": requests}


def _reduce(items, fails):
    """ITEMS without what is not needed for FAILS(items), removing ever smaller runs."""
    size = len(items) // 2
    while size >= 1:
        start = 0
        while start < len(items):
            fewer = items[:start] + items[start + size:]
            if fails(fewer):
                items = fewer
            else:
                start += size
        size //= 2
    return items
