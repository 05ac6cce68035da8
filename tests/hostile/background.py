"""Long work that a peer asks for: it must not go on without the peer, nor keep others' from their turn."""

import time

from measure import DB, Input
from messages import request

POSITION = {"epoch": 0, "index": 0, "digest": "00000000-0000-0000-0000-000000000000"}


def follow(number=1, **more):
    return request("tandem_follow", DB, {"position": POSITION, "server_id": f"{number:08x}-0000-4000-8000-000000000000",
                                         "name": "host", "file": f"/sb{number}.db"} | more)


def compact(target):
    """A compaction must come to an end beside what the attacker asked for."""
    begin = time.monotonic()
    target.server.control("ovsdb-server/compact")
    return time.monotonic() - begin


def compared_by_one(target):
    target.client().pour(follow(buckets={}, recent=[]) * 3_000)
    compact(target)


def compared_and_gone(target):
    client = target.client()
    client.pour(follow(buckets={}, recent=[]) * 3_000)
    target.hang_up()
    compact(target)


def compared_by_many(target):
    for number, client in enumerate(target.clients_of(50)):
        client.pour(follow(number, buckets={}, recent=[]))
    compact(target)


def compared_again_and_again(target):
    """A peer that reads its answer to the end never, and comes back at once."""
    for number in range(100):
        client = target.client()
        client.pour(follow(number, buckets={}, recent=[]))
        client.close()
    compact(target)


def many_recent(target):
    digests = [f"{i:08x}-0000-4000-8000-000000000000" for i in range(90_000)]
    target.client().pour(follow(buckets={}, recent=digests) * 20)


def followers_that_read_nothing(target):
    """What a commit costs that 50 followers do not take."""
    for number, client in enumerate(target.clients_of(50)):
        client.pour(follow(number, buckets={}, recent=[]))
    writer = target.client()
    for i in range(20):
        writer.transact(DB, {"op": "insert", "table": "Address_Set", "row": {"name": f"a{i}", "addresses": "x" * (1 << 20)}})


def compactions(target):
    """`compact` by an operator, 200 times at once."""
    for _ in range(200):
        target.client(f"unix:{target.scratch.path}/target.ctl").pour(request("ovsdb-server/compact"))


INPUTS = [
    Input("3,000 comparisons for one peer, then compact", compared_by_one, data="flows", on_stock=False, most_cpu_s=2,
          most_mb=100),
    Input("3,000 comparisons for one that leaves, then compact", compared_and_gone, data="flows", on_stock=False,
          most_cpu_s=2, most_mb=100),
    Input("50 peers compared, then compact", compared_by_many, data="flows", on_stock=False, most_cpu_s=6, most_mb=200,
          most_wait_ms=100),
    Input("100 peers that come and go, then compact", compared_again_and_again, data="flows", on_stock=False,
          most_cpu_s=4, most_mb=150),
    Input("20 times 90,000 digests", many_recent, on_stock=False, most_cpu_s=2, most_mb=100),
    Input("50 followers that read nothing, 20 MB written", followers_that_read_nothing, on_stock=False, most_mb=200,
          most_cpu_s=2),
    Input("200 compactions asked for", compactions, data="flows"),
]
