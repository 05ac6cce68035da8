"""Which programs and data a run uses; everything that comes from outside the tests is read here.

TANDEM_SERVER       the server under test (default: the release build); may be the stock server, which
                    is how the tests themselves are validated
TANDEM_TOOL         the tool under test (default: the one beside the server)
TANDEM_SLOWDOWN     factor for every timeout, for sanitizer builds
TANDEM_SEED         seed of randomized tests (default: a fixed one, so that CI repeats itself)
"""

import os
import pathlib

SOURCE = pathlib.Path(__file__).resolve().parents[3]
SHARED_DATA = SOURCE.parent / "shared" / "data"
STOCK_SERVER = pathlib.Path("/usr/sbin/ovsdb-server")
STOCK_TOOL = pathlib.Path("/usr/bin/ovsdb-tool")
OVN_CTL = "/usr/share/ovn/scripts/ovn-ctl"
OVN_SCHEMAS = pathlib.Path("/usr/share/ovn")
VSWITCH_SCHEMA = pathlib.Path("/usr/share/openvswitch/vswitch.ovsschema")

SERVER = pathlib.Path(os.environ.get("TANDEM_SERVER", SOURCE / "build/release/bin/tandem-server"))
CTL = SERVER.with_name("tandem-ctl")
TOOL = pathlib.Path(os.environ.get("TANDEM_TOOL", SERVER.with_name("tandem-tool")))
SLOWDOWN = float(os.environ.get("TANDEM_SLOWDOWN", "1"))
SEED = int(os.environ.get("TANDEM_SEED", "1"))


def is_stock(program):
    """True when PROGRAM is Debian's ovsdb-server, on which some tests do not apply."""
    return pathlib.Path(program).resolve() == STOCK_SERVER


def timeout_s(seconds):
    """SECONDS stretched for slow builds."""
    return seconds * SLOWDOWN
