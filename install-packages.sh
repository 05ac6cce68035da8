#!/bin/bash
# Installs what Tandem needs from the packages of Debian 12 or 13: install-packages.sh GROUP...
#   build   to build it     run   to run it beside OVN     test   what the tests start
#   bench   for bench/run and bench/plot     package   for package.sh
# Asks apt only for what is missing, uses sudo when it is not root, and needs no terminal.
set -eu

# What has a version in its name.
case $(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release) in
    12) boost=libboost1.81-dev sanitizers=libclang-rt-14-dev ;;
    *) boost=libboost1.83-dev sanitizers=libclang-rt-19-dev ;;
esac

packages_of() {
    case $1 in
        build)
            echo cmake ninja-build g++ ccache git pkg-config catch2 \
                "$boost" nlohmann-json3-dev libfmt-dev libssl-dev libjemalloc-dev help2man python3 ;;
        package)
            echo dpkg-dev debhelper ;;
        run)
            echo openvswitch-common ovn-common ovn-central procps ;;
        test)
            echo openvswitch-switch openvswitch-vtep ovn-host ovn-ic ovn-ic-db python3 \
                python3-openvswitch python3-ovsdbapp python3-oslotest python3-testscenarios \
                clang "$sanitizers" clang-format clang-tidy shellcheck xz-utils openssl \
                pacemaker pacemaker-cli-utils corosync pcs resource-agents libxml2-utils \
                man-db iproute2 iputils-arping haproxy prometheus chromium-headless-shell util-linux e2fsprogs strace valgrind \
                bash-completion lintian mmdebstrap ;;
        bench)
            echo openvswitch-common ovn-common python3 python3-matplotlib xz-utils openssl strace ;;
        *)
            echo "install-packages.sh: no group $1" >&2
            exit 2 ;;
    esac
}

wanted=()
for group; do
    read -r -a packages <<<"$(packages_of "$group" | tr '\n' ' ')"
    wanted+=("${packages[@]}")
done

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l)
[ "$(id -u)" = 0 ] || as_root=(sudo "${as_root[@]}")
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get -qq update

# Tests want promtool, which comes with Prometheus' server: that is not to run here, now or after a reboot. What installs
# services asks this file; where there is one already it decides.
policy=/usr/sbin/policy-rc.d
unwanted=''
[[ " ${missing[*]} " != *" prometheus "* ]] || unwanted=prometheus.service
if [ -n "$unwanted" ] && [ ! -e $policy ]; then
    trap '"${as_root[@]}" rm -f $policy' EXIT
    # shellcheck disable=SC2016 # it is expanded where it runs
    printf '%s\n' '#!/bin/sh' 'case $1 in prometheus*) exit 101 ;; esac' 'exit 0' |
        "${as_root[@]}" install -m 755 /dev/stdin $policy
fi
"${as_root[@]}" apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" </dev/null
[ -z "$unwanted" ] || "${as_root[@]}" systemctl -q disable "$unwanted" 2>/dev/null || true
