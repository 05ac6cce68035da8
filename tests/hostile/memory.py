"""Memory without bound: much is asked for and nothing read, or much is sent and never ended."""

from measure import DB, Input
from messages import insert, request, select, transact, update, wait_for_nothing

ALL_FLOWS = {"Logical_Flow": [{}]}


def selects_unread(target):
    target.client().pour(transact(select("Logical_Flow")) * 300)


def selects_unread_by_many(target):
    for client in target.clients_of(60):
        client.pour(transact(select("Logical_Flow")) * 5)


def very_many_selects(target):
    """Each is of all rows: they ask for gigabytes of text."""
    target.client().pour(transact(*[select("Logical_Flow")] * 3_000))


def one_request_of_many_selects(target):
    """The same in one transaction: one reply of gigabytes."""
    target.client().pour(transact(*[select("Logical_Flow")] * 100))


def condition_storm(target):
    client = target.client()
    client.pour(request("monitor_cond", DB, "m", {"Logical_Flow": [{"where": [False]}]}))
    on, off = (request("monitor_cond_change", "m", "m", {"Logical_Flow": [{"where": [value]}]}) for value in (True, False))
    client.pour((on + off) * 300)


def monitor_and_cancel(target):
    target.client().pour((request("monitor_cond", DB, "m", ALL_FLOWS) + request("monitor_cancel", "m")) * 300)


def many_first_answers(target):
    client = target.client()
    for number in range(300):
        client.pour(request("monitor_cond_since", DB, number, ALL_FLOWS, "00000000-0000-0000-0000-000000000000"))


def flood(message, count):
    return lambda target: target.client().pour(message * count)


def schemas_from_many(target):
    for client in target.clients_of(100):
        client.pour(request("get_schema", DB) * 1000)


def half_message(size):
    """What never ends: a string of SIZE bytes in a request."""
    def attack(target):
        client = target.client()
        client.pour(b'{"id":1,"method":"transact","params":["')
        for _ in range(size >> 20):
            client.pour(b"x" * (1 << 20))
    return attack


def half_messages_of_many(target):
    for client in target.clients_of(200):
        client.pour(b'{"id":1,"method":"echo","params":["' + b"x" * (1 << 20))


def zeros(target):
    client = target.client()
    client.pour(b'{"id":1,"method":"transact","params":[0')
    for _ in range(64):
        client.pour(b",0" * (1 << 19))
    client.pour(b"]}")


def empty_arrays(target):
    """Values whose representation is many times longer than their text."""
    client = target.client()
    client.pour(b'{"id":1,"method":"transact","params":[0')
    for _ in range(32):
        client.pour(b",[]" * (1 << 18) + b",{}" * (1 << 17))
    client.pour(b"]}")


def members(target):
    client = target.client()
    client.pour(b'{"id":1,"method":"echo","params":[{"x":0')
    for i in range(40):
        client.pour("".join(f',"{i}_{j}":0' for j in range(40_000)).encode())
    client.pour(b"}]}")


def half_zeros_of_many(target):
    """Parsed, and never ended."""
    for client in target.clients_of(50):
        client.pour(b'{"id":1,"method":"echo","params":[0' + b",0" * (1 << 20))


def nesting(target):
    for client in target.clients_of(20):
        client.pour(b'{"id":1,"method":"echo","params":[' + b"[" * 1_000_000)


def huge_value(target):
    target.client().show_itself().transact(DB, insert("Address_Set", name="huge", addresses="x" * (32 << 20)))


def huge_value_unread(target, *_):
    """A value of 32 MB in a row, read back and not taken."""
    target.client().pour(transact(select("Address_Set")) * 50)


def many_monitors(target):
    client = target.client()
    client.converse(b"".join(request("monitor_cond", DB, i, {"Meter": [{"columns": ["name"]}]}) for i in range(20_000)))


def many_conditions(target):
    """Monitors of different conditions, a kilobyte each."""
    target.client().converse(b"".join(
        request("monitor_cond", DB, i, {"Address_Set": [{"where": [["name", "==", f"a{i}_{j}"] for j in range(50)]}]})
        for i in range(2_000)))


def many_locks(target):
    target.client().converse(b"".join(request("lock", f"lock{i}") for i in range(100_000)))


def many_waits(target):
    target.client().converse(b"".join(transact(wait_for_nothing(), request_id=i) for i in range(20_000)))


def fat_waits(target):
    """Blocked transactions of a megabyte each."""
    client = target.client()
    fat = {"op": "comment", "comment": "x" * (1 << 20)}
    client.converse(b"".join(transact(wait_for_nothing(), fat, request_id=i) for i in range(150)))


def backlog_of_monitors(target):
    """500 monitors, not reading; 10,000 rows are changed, one by one and all together."""
    slow = target.client()
    slow.converse(b"".join(request("monitor_cond", DB, i, {"Port_Binding": [{}]}) for i in range(500)))
    writer = target.client()
    writer.transact(DB, *[insert("Datapath_Binding", "d", tunnel_key=5)] + [
        insert("Port_Binding", logical_port=f"port{i}", datapath=["named-uuid", "d"], tunnel_key=i + 1, mac="x" * 40)
        for i in range(10_000)])
    for i in range(10):
        writer.transact(DB, update("Port_Binding", [], type=f"type{i}"))
    target.settle()
    slow.swallow()


def backlog_of_one(target):
    """One monitor, not reading; a long value is changed again and again."""
    client = target.client()
    client.pour(request("monitor_cond", DB, 1, {"Address_Set": [{}]}))
    writer = target.client()
    writer.transact(DB, insert("Address_Set", name="long"))
    for i in range(100):
        writer.transact(DB, update("Address_Set", [["name", "==", "long"]], addresses=f"{i}" * (1 << 20)))


def errors_that_repeat_the_request(target):
    long = ["x" * (1 << 20)]
    client = target.client()
    for _ in range(300):
        client.pour(request("monitor", "nowhere", long))


def results_that_repeat_the_request(target):
    """Each operation fails, and is told so in full."""
    client = target.client()
    for _ in range(100):
        client.pour(transact({"op": "x" * (1 << 20)}))


def comments(target):
    """The log is written as fast as it is asked for."""
    client = target.client()
    comment = {"op": "comment", "comment": "c" * (1 << 20)}
    client.converse(b"".join(transact(comment, insert("Address_Set", name=f"c{i}")) for i in range(50)))


def cancels(target):
    target.client().converse(b'{"id":null,"method":"cancel","params":[7]}' * 200_000)


def ids(target):
    """A request's id is a value of any size, and comes back."""
    client = target.client()
    for _ in range(100):
        client.pour(b'{"id":[' + b"0," * 500_000 + b'0],"method":"list_dbs","params":[]}')


def small_operations(target):
    """Many transactions of many operations, unread: what each holds until it is answered."""
    client = target.client()
    for _ in range(40):
        client.pour(transact(*[{"op": "comment", "comment": ""}] * 50_000))


def stolen_locks(target):
    """A lock goes to and fro; who loses it reads nothing, and is told each time."""
    target.client().call("lock", "it")
    target.client().converse((request("steal", "it") + request("unlock", "it")) * 100_000)


def long_ids_of_monitors(target):
    """A monitor's id comes with each update: a megabyte for each small commit."""
    client = target.client()
    for i in range(20):
        client.converse(request("monitor_cond", DB, f"{i}" + "x" * (1 << 20), {"DNS": [{}], "Address_Set": [{}]}))
    writer = target.client()
    for i in range(20):
        writer.transact(DB, insert("Address_Set", name=f"a{i}"))


def long_locks(target):
    target.client().converse(b"".join(request("lock", f"l{i}" + "x" * (1 << 20)) for i in range(100)))


def spaces(target):
    """What stands between messages."""
    client = target.client()
    for _ in range(64):
        client.pour(b" " * (1 << 20))


def digits(target):
    client = target.client()
    client.pour(b'{"id":1,"method":"echo","params":[')
    for _ in range(64):
        client.pour(b"1" * (1 << 20))
    client.pour(b"]}")


def surrogates(target):
    """Text six times as long as what it says."""
    client = target.client()
    client.pour(b'{"id":1,"method":"echo","params":["')
    for _ in range(64):
        client.pour(b"\\u0041" * (1 << 17))
    client.pour(b'"]}')


INPUTS = [
    Input("300 selects of all flows, unread", selects_unread, data="flows"),
    Input("60 clients, 5 selects of all flows each, unread", selects_unread_by_many, data="flows", by_hand=True),
    Input("100 selects of all flows in one transaction", one_request_of_many_selects, data="flows"),
    # (The stock server makes the text of all of them before it sends any.)
    Input("3,000 selects of all flows in one transaction, unread", very_many_selects, data="flows", on_stock=False),
    Input("600 condition changes between all and nothing, unread", condition_storm, data="flows"),
    Input("300 times monitor and cancel, unread", monitor_and_cancel, data="flows"),
    Input("300 first answers of all flows, unread", many_first_answers, data="flows", by_hand=True),
    Input("3,000 echoes of 100 kB, unread", flood(request("echo", "x" * 100_000), 3000)),
    Input("200,000 get_schema, unread", flood(request("get_schema", DB), 200_000)),
    Input("100 clients, 1,000 get_schema each, unread", schemas_from_many, by_hand=True),
    Input("500,000 list_dbs, unread", flood(request("list_dbs"), 500_000), by_hand=True),
    Input("500,000 unknown methods, unread", flood(request("nonsense"), 500_000), by_hand=True),
    Input("128 MB of a string that never ends", half_message(128 << 20)),
    Input("200 clients, 1 MB of a string that never ends each", half_messages_of_many, by_hand=True),
    Input("[0,0,...] of 64 MB", zeros),
    Input("[[],[],...,{},{},...] of 36 MB", empty_arrays),
    Input("an object of 1,600,000 members", members, by_hand=True),
    Input("50 clients, [0,0,... of 2 MB that never ends each", half_zeros_of_many, by_hand=True),
    Input("20 clients, a million brackets each", nesting),
    Input("a string of 32 MB, read 50 times, unread", huge_value_unread, prepare=huge_value),
    Input("20,000 monitors", many_monitors),
    Input("2,000 monitors of 50 clauses", many_conditions, by_hand=True),
    Input("100,000 locks", many_locks),
    Input("20,000 blocked waits", many_waits),
    Input("150 blocked waits of 1 MB", fat_waits),
    Input("500 monitors unread, 10,000 rows changed ten times", backlog_of_monitors),
    # The last commits stay in memory, with what they replaced, for those who come back: 64 MiB unless an option says less.
    Input("one monitor unread, 1 MB changed 100 times", backlog_of_one, our_options=("--history-size=1048576",)),
    Input("300 errors that repeat 1 MB, unread", errors_that_repeat_the_request),
    Input("100 results that repeat 1 MB, unread", results_that_repeat_the_request, by_hand=True),
    Input("50 comments of 1 MB", comments, by_hand=True),
    Input("200,000 cancels of nothing", cancels, by_hand=True),
    Input("100 ids of 1 MB, unread", ids),
    Input("40 times 50,000 operations, unread", small_operations, by_hand=True),
    Input("a lock that is stolen 100,000 times", stolen_locks, by_hand=True),
    Input("20 monitors with ids of 1 MB, 20 commits", long_ids_of_monitors, by_hand=True),
    Input("100 locks with names of 1 MB", long_locks, by_hand=True),
    Input("64 MB of spaces", spaces, by_hand=True),
    Input("a number of 64 MB", digits, by_hand=True),
    Input("64 MB of escapes", surrogates),
]
