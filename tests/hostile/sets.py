"""Large sets and maps: small changes of them, and of what they refer to."""

from measure import DB, Input
from messages import delete, insert, mutate, request, select, strings, transact


def big_set(target):
    target.client().transact(DB, insert("Address_Set", name="big", addresses=strings(0, 300_000)))


def mutations(count, operation, start=300_000):
    """Mutations of a set of 300,000 strings, in one transaction."""
    def attack(target):
        steps = [["addresses", operation, f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"] for i in range(start, start + count)]
        target.client().converse(transact(mutate("Address_Set", [["name", "==", "big"]], *steps)))
    return attack


def single_mutations(target):
    """The same in transactions of their own, beside a monitor that reads."""
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Address_Set": [{}]}))
    client.converse(b"".join(
        transact(mutate("Address_Set", [["name", "==", "big"]], ["addresses", "insert", f"x{i}"])) for i in range(100)))


def unsorted_set(target):
    values = [f"v{(i * 7919) % 1_000_003}" for i in range(300_000)]
    target.client().converse(transact(insert("Address_Set", name="s", addresses=["set", values])))


def equal_members(target):
    target.client().converse(transact(insert("Address_Set", name="s", addresses=["set", ["same"] * 300_000])))


def big_uuid_set(target):
    """A load balancer on 50,000 datapaths."""
    client = target.client()
    names = [f"d{i}" for i in range(50_000)]
    client.transact(DB, *[insert("Datapath_Binding", name, tunnel_key=i + 1) for i, name in enumerate(names)],
                    insert("Load_Balancer", name="big", datapaths=["set", [["named-uuid", name] for name in names]]))
    found = client.transact(DB, select("Datapath_Binding", ["tunnel_key", "<=", 100], columns=["_uuid"]))
    return [row["_uuid"] for row in found[0]["rows"]]


def uuid_mutations(target, members):
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Load_Balancer": [{}]}))
    for step in ("delete", "insert"):
        client.converse(b"".join(
            transact(mutate("Load_Balancer", [["name", "==", "big"]], ["datapaths", step, ["set", [member]]]))
            for member in members))


def uuid_mutations_at_once(target, members):
    steps = [["datapaths", step, ["set", [member]]] for step in ("delete", "insert") for member in members for _ in range(10)]
    target.client().converse(transact(mutate("Load_Balancer", [["name", "==", "big"]], *steps)))


def members_deleted(target, members):
    """Datapaths that a set of 50,000 refers to weakly go one after the other."""
    client = target.client()
    client.transact(DB, insert("Logical_DP_Group", "g", datapaths=["set", members]),
                    insert("Load_Balancer", name="other", datapath_group=["named-uuid", "g"]))
    client.converse(b"".join(transact(
        mutate("Load_Balancer", [["name", "==", "big"]], ["datapaths", "delete", ["set", [member]]]),
        delete("Datapath_Binding", ["_uuid", "==", member])) for member in members))


def big_map(target):
    pairs = [[f"k{i}", f"v{i}"] for i in range(200_000)]
    target.client().transact(DB, insert("Load_Balancer", name="big", options=["map", pairs]))


def map_mutations(target, *_):
    steps = [["options", step, ["map", [[f"x{i}", "y"]]]] for i in range(500) for step in ("insert", "delete")]
    target.client().converse(transact(mutate("Load_Balancer", [["name", "==", "big"]], *steps)))


def single_map_mutations(target, *_):
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Load_Balancer": [{}]}))
    client.converse(b"".join(transact(
        mutate("Load_Balancer", [["name", "==", "big"]], ["options", "insert", ["map", [[f"x{i}", "y"]]]]))
        for i in range(100)))


def weak_members_deleted(target):
    """20 of 20,000 rows go that 50 rows refer to weakly, a commit each."""
    client = target.client().show_itself()
    names = [f"d{i}" for i in range(20_000)]
    client.transact(DB, *[insert("Datapath_Binding", name, tunnel_key=i + 1) for i, name in enumerate(names)],
                    *[insert("Logical_DP_Group", f"g{i}", datapaths=["set", [["named-uuid", name] for name in names]]) for i in range(50)],
                    *[insert("Load_Balancer", name=f"l{i}", datapath_group=["named-uuid", f"g{i}"]) for i in range(50)])
    target.clients[0].converse(b"".join(transact(delete("Datapath_Binding", ["tunnel_key", "==", i + 1])) for i in range(20)))


INPUTS = [
    Input("1,000 mutations of 300,000 strings", mutations(1_000, "insert"), prepare=big_set),
    Input("1,000 deletions of 300,000 strings", mutations(1_000, "delete", 100_000), prepare=big_set, by_hand=True),
    Input("100 commits on 300,000 strings, monitored", single_mutations, prepare=big_set),
    Input("300,000 strings in no order", unsorted_set),
    Input("300,000 equal strings", equal_members, by_hand=True),
    Input("200 commits on 50,000 UUIDs, monitored", uuid_mutations, prepare=big_uuid_set),
    Input("2,000 mutations of 50,000 UUIDs", uuid_mutations_at_once, prepare=big_uuid_set, by_hand=True),
    Input("100 members of 50,000 deleted", members_deleted, prepare=big_uuid_set, by_hand=True),
    Input("1,000 mutations of a map of 200,000", map_mutations, prepare=big_map),
    Input("100 commits on a map of 200,000, monitored", single_map_mutations, prepare=big_map),
    Input("20 rows go that 50 sets of 20,000 hold", weak_members_deleted),
]
