"""Database files that look like OVN's and have as many rows as one likes."""

import hashlib
import json
import pathlib
import uuid

SCHEMAS = pathlib.Path("/usr/share/ovn")
# As the shared files: logical flows of the Southbound database, ports of the Northbound one.
SIZES = {"small": (10_000, 1_000), "medium": (40_000, 4_000), "large": (105_000, 12_000)}


def make(name, path):
    """Writes NAME: nb-SIZE or sb-SIZE; SIZE is one of SIZES, or the number of rows."""
    kind, size = name.split("-")
    flows, ports = SIZES[size] if size in SIZES else (int(size), int(size))
    if kind == "sb":
        write(path, "ovn-sb.ovsschema", southbound(flows))
    else:
        write(path, "ovn-nb.ovsschema", northbound(ports))


def write(path, schema, tables):
    """A standalone database file: the schema, and one record with all rows."""
    record = {table: {_uuid(n, i)[1]: row for i, row in enumerate(rows)}
              for n, (table, rows) in enumerate(tables.items())}
    with open(path, "wb") as file:
        for value in (json.loads((SCHEMAS / schema).read_text()), record | {"_comment": "made up"}):
            body = json.dumps(value, separators=(",", ":")).encode() + b"\n"
            file.write(b"OVSDB JSON %d %s\n" % (len(body), hashlib.sha1(body).hexdigest().encode()))
            file.write(body)


def _uuid(table, row):
    """Its first digits differ, as those of random ones: the stock server tells rows apart by them."""
    return ["uuid", str(uuid.UUID(int=(row * 2654435761 & 0xffffffff) << 96 | table << 64 | row + 1))]


def southbound(flows):
    """FLOWS logical flows on one datapath for 400, and 100 chassis."""
    datapaths = max(flows // 400, 40)
    return {
        "Datapath_Binding": [{"tunnel_key": i + 1, "external_ids": ["map", [["name", f"sw{i}"]]]}
                             for i in range(datapaths)],
        "Logical_Flow": [{"logical_datapath": _uuid(0, i % datapaths), "pipeline": "ingress", "table_id": i % 30,
                          "priority": i % 60000,
                          "match": f"inport == \"port{i}\" && eth.src == 0a:00:00:00:00:01 && ip4.src == 10.0.0.1",
                          "actions": "reg0[7] = 1; next;",
                          "external_ids": ["map", [["source", "northd.c:5432"], ["stage-name", "ls_in_acl"]]]}
                         for i in range(flows)],
        "Encap": [{"type": "geneve", "ip": f"10.1.0.{i}", "chassis_name": f"ch{i}"} for i in range(100)],
        "Chassis": [{"name": f"ch{i}", "hostname": f"host{i}", "encaps": _uuid(2, i)} for i in range(100)],
        "Port_Binding": [{"logical_port": f"port{i}", "datapath": _uuid(0, i % datapaths),
                          "tunnel_key": i // datapaths + 1, "chassis": _uuid(3, i % 100)}
                         for i in range(flows // 10)],
    }


def northbound(ports):
    """PORTS logical ports on one switch for 50."""
    switches = max(ports // 50, 1)
    return {
        "Logical_Switch_Port": [{"name": f"port{i}", "addresses": f"0a:00:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"}
                                for i in range(ports)],
        "Logical_Switch": [{"name": f"sw{i}", "ports": ["set", [_uuid(0, p) for p in range(i, ports, switches)]]}
                           for i in range(switches)],
    }
