"""TCP ports for servers under test."""

import socket


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port, host="127.0.0.1"):
    """True when somebody listens there."""
    try:
        socket.create_connection((host, port), 0.5).close()
        return True
    except OSError:
        return False
