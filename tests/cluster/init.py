"""First process of a node: makes the node's private files, says so, then reaps orphans until it is killed.

Runs as pid 1 of fresh mount, pid, net, ipc and uts namespaces. Its death is the node's power cut: the kernel
kills every process of the pid namespace and drops the namespaces.
"""
import json
import os
import shutil
import signal
import subprocess
import sys

# These survive a power cut, so they live in the node's folder on the host's disk.
PERSISTENT = [
    "/etc/corosync",
    "/etc/openvswitch",
    "/etc/ovn",
    "/var/lib/corosync",
    "/var/lib/openvswitch",
    "/var/lib/ovn",
    "/var/lib/pacemaker",
    "/var/log",
    "/usr/lib/ocf/resource.d/ovn",
]
SUBFOLDERS = [
    "/var/lib/pacemaker/blackbox",
    "/var/lib/pacemaker/cib",
    "/var/lib/pacemaker/cores",
    "/var/lib/pacemaker/pengine",
    "/var/log/corosync",
    "/var/log/openvswitch",
    "/var/log/ovn",
    "/var/log/pacemaker",
]
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}


def run(*command):
    subprocess.run(command, check=True)


def mount_tmpfs(path, mode="755"):
    os.makedirs(path, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "mode=" + mode, "tmpfs", path)


def mount_persistent(folder):
    for path in PERSISTENT + SUBFOLDERS:
        os.makedirs(folder + path, exist_ok=True)
    for path in PERSISTENT:
        run("mount", "--bind", folder + path, path)
    for path in SUBFOLDERS:
        if "pacemaker" in path:
            shutil.chown(path, "hacluster", "haclient")


def mount_volatile(programs):
    """Folder PROGRAMS (may be none) stays to be seen where it is, also if that is below what is hidden here."""
    mount_tmpfs("/run")
    if programs:
        os.makedirs("/run/programs")
        run("mount", "--bind", programs, "/run/programs")
    for sub in ("lock", "openvswitch", "ovn", "resource-agents"):
        os.makedirs("/run/" + sub)
    mount_tmpfs("/dev")
    for name, (major, minor) in DEVICES.items():
        os.mknod("/dev/" + name, 0o20666, os.makedev(major, minor))
        os.chmod("/dev/" + name, 0o666)
    for name, target in {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        os.symlink(target, "/dev/" + name)
    mount_tmpfs("/dev/shm", "1777")
    mount_tmpfs("/tmp", "1777")
    if programs and not os.path.exists(programs):
        os.makedirs(programs)
        run("mount", "--bind", "/run/programs", programs)


def install(files):
    for source, target in files.items():
        shutil.copy(source, target)
        os.chmod(target, 0o755)


def reap_for_ever():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def main():
    spec = json.loads(sys.argv[1])
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "proc", "proc", "/proc")
    mount_persistent(spec["folder"])
    install(spec["install"])
    mount_volatile(spec["programs"])
    run("hostname", spec["name"])
    run("ip", "link", "set", "lo", "up")
    print("ready", flush=True)
    reap_for_ever()


if __name__ == "__main__":
    main()
