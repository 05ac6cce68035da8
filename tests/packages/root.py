"""A fresh root of this machine's Debian in which packages are installed, and programs run apart from the machine's own.

What is in it, once made, is kept as a tar file in the user's cache: making it takes half a minute and the network.
"""

import hashlib
import os
import pathlib
import shlex
import subprocess
import tempfile

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tandem"
KEPT = "/var/cache/kept"  # in a root: packages to install again


def run(*command, **options):
    return subprocess.run([str(word) for word in command], text=True, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, **options).stdout


def codename():
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    return next(line.split("=")[1].strip('"') for line in lines if line.startswith("VERSION_CODENAME="))


def sources(suite):
    """Where this machine's apt gets that suite from, as lines of sources.list(5)."""
    found = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages")
    wanted = {suite, f"{suite}-updates", f"{suite}-security"}
    return sorted({f"deb {line}" for line in found.splitlines() if line.split()[1] in wanted})


def make_archive(packages, kept):
    """The tar file of a root with PACKAGES installed, and KEPT to be installed again."""
    suite = codename()
    key = hashlib.sha256(" ".join([suite, *packages, "+", *kept]).encode()).hexdigest()[:16]
    archive = CACHE / f"root-{suite}-{key}.tar"
    if archive.exists():
        return archive
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        options = pathlib.Path(scratch) / "apt.conf"
        options.write_text(run("apt-config", "dump", "Acquire"))
        keep = f"mkdir -p {KEPT} && cd {KEPT} && apt-get -o APT::Sandbox::User=root download {' '.join(kept)}"
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={','.join(packages)}",
            f"--aptopt={options}", "--dpkgopt=force-unsafe-io",
            f"--customize-hook=chroot \"$1\" sh -c {shlex.quote(keep)}", suite, f"{scratch}/root.tar", *sources(suite))
        for former in CACHE.glob(f"root-{suite}-*.tar"):
            former.unlink()
        os.rename(f"{scratch}/root.tar", archive)
    return archive


class Root:
    """A root unpacked from an archive, with its own processes, mounts, and network (loopback alone)."""

    def __init__(self, archive, path):
        self.path = pathlib.Path(path)
        self.path.mkdir()
        run("tar", "-C", self.path, "--numeric-owner", "-xf", archive)
        self.holder = subprocess.Popen(["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--net", "--ipc",
                                        "--uts", "--kill-child", f"--root={self.path}", "--mount-proc", "sh", "-c",
                                        "mount -t tmpfs run /run && mkdir /run/lock && echo ready; sleep infinity & wait"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError("no namespaces for the root")
        self.pid = int(run("pgrep", "--parent", str(self.holder.pid)))
        run("nsenter", f"--target={self.pid}", "--net", "ip", "link", "set", "lo", "up")

    def run(self, command, check=True, **env):
        """Runs a command line of the shell in the root: its output, errors among it."""
        done = subprocess.run(["nsenter", f"--target={self.pid}", "--all", "--root", "--wd", "env", "-i", "HOME=/root",
                               "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
                               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               *(f"{name}={value}" for name, value in env.items()), "sh", "-c", command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def close(self):
        self.holder.kill()  # and all that runs there
        self.holder.wait()
        self.holder.stdout.close()
