#!/usr/bin/python3
"""Makes the manual page of the resource agent of what it says of itself: agent_page.py AGENT VERSION > PAGE."""

import os
import subprocess
import sys
import xml.etree.ElementTree

FOOT = r""".SH EXAMPLE
As
.BR pcs (8)
configures it, with an address that moves with the role:
.PP
.nf
pcs resource create ovndb_servers ocf:ovn:ovndb\-servers \
    master_ip=192.0.2.10 op monitor interval=10s \
    op monitor role=Promoted interval=15s
pcs resource promotable ovndb_servers ovndb_servers\-master \
    meta notify=true
pcs resource create VirtualIP ocf:heartbeat:IPaddr2 ip=192.0.2.10
pcs constraint order promote ovndb_servers\-master then VirtualIP
pcs constraint colocation add VirtualIP \
    with Promoted ovndb_servers\-master score=INFINITY
.fi
.SH SEE ALSO
.BR tandem (7),
.BR tandem\-ctl (8),
.BR pcs (8),
.BR crm_mon (8)
"""


def escaped(text):
    """As plain text of roff(7), without a line that begins like a request."""
    lines = (" ".join(text.split())).replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def parameter(element):
    content = element.find("content")
    facts = [content.get("type")]
    facts.append(f"default {content.get('default')}" if content.get("default") else "no default")
    if element.get("reloadable") == "1":
        facts.append("changes without a restart")
    if element.get("required") == "1":
        facts.append("required")
    return f".TP\n.B {escaped(element.get('name'))}\n{escaped(element.findtext('longdesc'))}\n({escaped(', '.join(facts))})"


def action(element):
    facts = (f"{name} {element.get(name)}" for name in ("role", "interval", "timeout") if element.get(name))
    return f".TP\n.B {escaped(element.get('name'))}\n{escaped(', '.join(facts))}"


def main():
    agent, version = sys.argv[1:]
    env = os.environ | {"OCF_RA_VERSION_MINOR": "1"}
    text = subprocess.run([agent, "meta-data"], capture_output=True, text=True, check=True, env=env).stdout
    root = xml.etree.ElementTree.fromstring(text)
    print(f'.TH OCF_OVN_OVNDB\\-SERVERS 7 "" "Tandem {version}" "OCF resource agents"')
    print(".SH NAME")
    print(f"ocf_ovn_ovndb\\-servers \\- {escaped(root.findtext('shortdesc'))}")
    print(".SH SYNOPSIS")
    print(".B ocf:ovn:ovndb\\-servers\n.RI [ parameter=value ...]")
    print(".SH DESCRIPTION")
    print(escaped(root.findtext("longdesc")))
    print(".SH PARAMETERS")
    print("\n".join(map(parameter, root.find("parameters"))))
    print(".SH ACTIONS\nWith the least that their timeouts should be:")
    print("\n".join(map(action, root.find("actions"))))
    print(FOOT, end="")


if __name__ == "__main__":
    main()
