"""Work out of proportion: a message, or what it leaves behind, for which everybody waits."""

from measure import DB, Input
from messages import delete, insert, request, select, strings, transact, update, uuid, wait_for_nothing

NOTHING = "00000000-0000-0000-0000-000000000000"


def first_answer(clauses, kind="=="):
    """A conditional monitor of all flows with so many clauses, none of which any row meets."""
    values = {"==": lambda i: ["logical_datapath", "==", ["uuid", uuid(i)]],
              "includes": lambda i: ["external_ids", "includes", ["map", [["source", f"x{i}"]]]],
              "<": lambda i: ["table_id", "<", i % 2]}[kind]

    def attack(target):
        where = [values(i) for i in range(clauses)]
        target.client().converse(request("monitor_cond", DB, "m", {"Logical_Flow": [{"where": where}]}))
    return attack


def resume_with_clauses(target):
    """A client that comes back with many conditions, and an id that is known."""
    client = target.client()
    client.transact(DB, insert("Address_Set", name="known"))
    last = client.result("monitor_cond_since", DB, "s", {"DNS": [{}]}, NOTHING)[1]
    writer = target.client()
    for i in range(200):
        writer.transact(DB, update("Logical_Flow", [["priority", "==", i]], actions=f"a{i}"))
    where = [["logical_datapath", "==", ["uuid", uuid(i)]] for i in range(10_000)]
    client.converse(request("monitor_cond_since", DB, "m", {"Logical_Flow": [{"where": where}]}, last))


def elements(count):
    """Many elements for one table, all but the first without columns, so that none has a column twice."""
    def attack(target):
        requests = [{"columns": [], "where": [["name", "==", f"a{i}"]]} for i in range(count)]
        target.client().converse(request("monitor_cond", DB, "m", {"Address_Set": [{"columns": ["name"]}] + requests}))
    return attack


def equal_elements_changed(target):
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Address_Set": [{}]}))
    where = [{"where": [["name", "==", f"a{i}"]]} for i in range(20_000)]
    client.converse(request("monitor_cond_change", "m", "m", {"Address_Set": where}))


def comparisons(target):
    """40,000 clauses that no index knows, and then commits to the table."""
    where = [["nb_cfg", ">=", i + 1] for i in range(40_000)]
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Chassis_Private": [{"where": where}]}))
    for i in range(20):
        client.converse(transact(insert("Chassis_Private", name=f"c{i}", nb_cfg=-5)))


def sets_as_clauses(target):
    """Clauses that compare with sets of many strings."""
    where = [["addresses", "includes", strings(i, i + 300)] for i in range(300)]
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Address_Set": [{"where": where}]}))
    for i in range(20):
        client.converse(transact(insert("Address_Set", name=f"a{i}", addresses=strings(0, 10_000))))


def excludes(target):
    where = [["external_ids", "excludes", ["map", [[f"k{i}", "v"]]]] for i in range(5_000)]
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Chassis": [{"where": where}]}))
    for i in range(20):
        client.converse(transact(insert("Chassis", name=f"c{i}", encaps=["named-uuid", "e"]),
                                 insert("Encap", "e", type="geneve", ip=f"{i}", chassis_name=f"c{i}")))


def changes_of_conditions(target):
    """A thousand clauses, and one more with each of 200 changes."""
    client = target.client()
    where = [["logical_datapath", "==", ["uuid", uuid(i)]] for i in range(1200)]
    client.converse(request("monitor_cond", DB, "m", {"Logical_Flow": [{"where": where[:1000]}]}))
    client.converse(b"".join(request("monitor_cond_change", "m", "m", {"Logical_Flow": [{"where": where[:1000 + i]}]})
                             for i in range(200)))


def operations(count, operation):
    return lambda target: target.client().converse(transact(*[operation] * count))


def named_uuids(target):
    target.client().converse(transact(*[insert("Datapath_Binding", f"d{i}", tunnel_key=i + 1) for i in range(50_000)]))


def the_same_name(target):
    target.client().converse(transact(*[insert("Datapath_Binding", "d", tunnel_key=i + 1) for i in range(50_000)]))


def equal_indexes(target):
    """Every row breaks the index: how the answer is found."""
    target.client().converse(transact(*[insert("Address_Set", name="same") for _ in range(50_000)]))


def index_moved(target):
    client = target.client()
    client.converse(transact(*[insert("Address_Set", name=f"a{i}") for i in range(2_000)]))
    client.converse(transact(*[update("Address_Set", [["name", "==", f"a{i}"]], name=f"b{i}") for i in range(2_000)]))


def long_select(target):
    """A condition of many clauses on a table of many rows."""
    where = [["match", "!=", f"none{i}"] for i in range(2_000)]
    target.client().converse(transact(select("Logical_Flow", *where)))


def many_lookups(target):
    """Operations that each look at all rows."""
    target.client().converse(transact(*[select("Logical_Flow", ["match", "==", f"none{i}"]) for i in range(100)]))


def uuid_lookups(target):
    target.client().converse(transact(*[select("Logical_Flow", ["_uuid", "==", ["uuid", uuid(i)]]) for i in range(50_000)]))


def many_columns(target):
    target.client().converse(transact(select("Address_Set", columns=["name"] * 100_000)))


def a_wait_for_many_rows(target):
    rows = [{"name": f"a{i}"} for i in range(10_000)]
    client = target.client()
    client.converse(transact(*[insert("Address_Set", **row) for row in rows]))
    client.converse(transact({"op": "wait", "table": "Address_Set", "where": [], "columns": ["name"], "until": "==",
                              "rows": rows[::-1], "timeout": 0}))


def a_wait_for_equal_rows(target):
    client = target.client()
    client.converse(transact(*[insert("Address_Set", name=f"a{i}") for i in range(10_000)]))
    rows = [{"addresses": "x"}] * 10_000
    client.converse(transact({"op": "wait", "table": "Address_Set", "where": [], "columns": ["addresses"], "until": "==",
                              "rows": rows, "timeout": 0}))


def update_all(target):
    """All flows changed, ten times, and seen by a monitor that reads."""
    client = target.client()
    client.converse(request("monitor_cond", DB, "m", {"Logical_Flow": [{}]}))
    for i in range(3):
        client.converse(transact(update("Logical_Flow", [], priority=i)))


def aborted(target):
    """All flows deleted and the transaction taken back."""
    client = target.client()
    for _ in range(5):
        client.converse(transact(delete("Logical_Flow"), {"op": "abort"}))


# --- what goes with a client ---

def foreign_locks(target):
    client = target.client()
    client.converse(b"".join(request("lock", f"lock{i}") for i in range(300_000)))


def disconnects(target, *_):
    """500 clients with a lock each come and go beside many locks of others."""
    for i in range(500):
        client = target.client()
        client.call("lock", f"mine{i}")
        client.close()


def one_lock_for_all(target):
    """Everybody waits for one lock, and goes again."""
    for client in target.clients_of(800):
        client.call("lock", "it")


def monitors_that_go(target):
    target.client().converse(b"".join(request("monitor", DB, i, {"Meter": {}}) for i in range(50_000)))


def monitors_canceled(target):
    client = target.client()
    client.converse(b"".join(request("monitor", DB, i, {"Meter": {}}) for i in range(30_000)))
    client.converse(b"".join(request("monitor_cancel", i) for i in range(30_000)))


def blocked_by_one(target):
    """20,000 blocked waits, canceled one by one, last first."""
    client = target.client()
    client.converse(b"".join(transact(wait_for_nothing(), request_id=i) for i in range(20_000)))
    client.converse(b"".join(b'{"id":null,"method":"cancel","params":[%d]}' % i for i in range(19_999, -1, -1)))


def blocked_beside_commits(target):
    """20,000 blocked waits, and commits that none of them waits for, then the client goes."""
    client = target.client()
    client.converse(b"".join(transact(wait_for_nothing(), request_id=i) for i in range(20_000)))
    other = target.client()
    for i in range(20):
        other.transact(DB, insert("Chassis_Private", name=f"c{i}"))


def referrers(target):
    """A datapath to which 50,000 rows refer."""
    client = target.client().show_itself()
    client.transact(DB, insert("Datapath_Binding", "d", tunnel_key=1),
                    *[insert("IP_Multicast", datapath=["named-uuid", "d"], seq_no=0)],
                    *[insert("Logical_DP_Group", f"g{i}", datapaths=["set", [["named-uuid", "d"]]]) for i in range(50_000)],
                    *[insert("Load_Balancer", name=f"l{i}", datapath_group=["named-uuid", f"g{i}"]) for i in range(50_000)])


def row_with_referrers_goes(target, *_):
    client = target.client()
    client.converse(transact(delete("Load_Balancer", ["name", "==", "l7"])))
    client.converse(transact(delete("Datapath_Binding")))


def referrers_go_one_by_one(target, *_):
    target.client().converse(b"".join(transact(delete("Load_Balancer", ["name", "==", f"l{i}"])) for i in range(50)))


def a_chain(target):
    """Rows that refer to each other in a long chain go at once."""
    client = target.client()
    client.converse(transact(insert("Datapath_Binding", "d", tunnel_key=1), *[
        insert("MAC_Binding", logical_port=f"p{i}", ip="i", datapath=["named-uuid", "d"]) for i in range(30_000)]))
    client.converse(transact(delete("MAC_Binding"), delete("Datapath_Binding")))


def long_ids_of_requests(target):
    """Blocked transactions whose ids are long, and a cancel that is compared with each."""
    client = target.client()
    long = "x" * 100_000
    client.converse(b"".join(transact(wait_for_nothing(), request_id=[long, i]) for i in range(300)))
    client.converse(b"".join(request("cancel", [long, -1], request_id=None) for i in range(300)))


def durable(target):
    """Each asks for a sync of its own."""
    target.client().converse(b"".join(
        transact(insert("Address_Set", name=f"a{i}"), {"op": "commit", "durable": True}) for i in range(2_000)))


def instant_waits(target):
    target.client().converse(transact(*[wait_for_nothing(0) | {"until": "!="} for _ in range(50_000)]))


def converted(target):
    """Any client without a role may convert: to the same schema, five times."""
    for _ in range(5):
        client = target.client()
        client.call("convert", DB, client.result("get_schema", DB))


INPUTS = [
    Input("1,000 clauses ==, first answer", first_answer(1_000), data="flows", by_hand=True),
    Input("10,000 clauses ==, first answer", first_answer(10_000), data="flows"),
    Input("3,000 clauses includes, first answer", first_answer(3_000, "includes"), data="flows", by_hand=True),
    Input("1,000 clauses <, first answer", first_answer(1_000, "<"), data="flows", by_hand=True),
    Input("10,000 clauses, back with a known id", resume_with_clauses, data="flows"),
    Input("20,000 elements for one table", elements(20_000)),
    Input("20,000 elements in a change of conditions", equal_elements_changed, by_hand=True),
    Input("40,000 clauses >=, 20 commits", comparisons),
    Input("300 clauses with sets of 300 strings, 20 commits", sets_as_clauses, by_hand=True),
    Input("5,000 clauses excludes, 20 commits", excludes),
    Input("200 changes of 1,000 clauses", changes_of_conditions, data="flows"),
    Input("100,000 operations that do nothing", operations(100_000, {"op": "comment", "comment": ""}), by_hand=True),
    Input("100,000 operations that find nothing", operations(100_000, delete("Meter")), by_hand=True),
    Input("50,000 rows with names", named_uuids),
    Input("50,000 rows with the same name", the_same_name, by_hand=True),
    Input("50,000 rows that break an index", equal_indexes),
    Input("2,000 rows whose index moves", index_moved, by_hand=True),
    Input("a select of 2,000 clauses", long_select, data="flows", by_hand=True),
    Input("100 selects that look at all rows", many_lookups, data="flows", by_hand=True),
    Input("50,000 selects by UUID", uuid_lookups, data="flows", by_hand=True),
    Input("100,000 columns in a select", many_columns, by_hand=True),
    Input("a wait for 10,000 rows", a_wait_for_many_rows),
    Input("a wait for 10,000 equal rows", a_wait_for_equal_rows, by_hand=True),
    Input("all flows changed three times, monitored", update_all, data="flows"),
    Input("all flows deleted and taken back", aborted, data="flows", by_hand=True),
    Input("500 disconnects beside 300,000 locks", disconnects, prepare=foreign_locks, by_hand=True),
    Input("800 clients that wait for one lock", one_lock_for_all, by_hand=True),
    Input("disconnect with 50,000 monitors", monitors_that_go),
    Input("30,000 monitors canceled", monitors_canceled, by_hand=True),
    Input("20,000 blocked waits canceled", blocked_by_one),
    Input("20 commits beside 20,000 blocked waits", blocked_beside_commits),
    Input("a row to which 50,000 refer goes", row_with_referrers_goes, prepare=referrers),
    Input("50 of 50,000 referrers go one by one", referrers_go_one_by_one, prepare=referrers, by_hand=True),
    Input("300 long ids, canceled in vain", long_ids_of_requests, by_hand=True),
    Input("2,000 durable commits", durable, by_hand=True),
    Input("50,000 waits in a transaction", instant_waits, by_hand=True),
    Input("five conversions", converted, data="flows"),
    Input("30,000 rows and what they refer to go", a_chain),
]
