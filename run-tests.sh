#!/bin/bash
# Everything that CI checks, on a machine with nothing installed: run-tests.sh [STAGE...]
# Stages, by default in this order: release asan tsan quickstart style. Another one: differential
# Goes on after a failure; ends with `N passed, N failed` and exits 0 only if nothing failed.
set -uo pipefail

cd "$(dirname "$0")" || exit 1
jobs=$(nproc)
passed=0
failed=0
failures=()
ahead=''  # the stages that are prepared ahead
as=()  # a prefix for commands of tests
started=$SECONDS

say() { printf '\n== %s (after %d s)\n' "$*" $((SECONDS - started)); }

# check WHAT COMMAND...: one test of its own.
check() {
    local what=$1
    shift
    say "$what"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        failures+=("$what")
    fi
}

# build PRESET [TARGET...]: configures and builds, and shows a line of progress now and then.
build() {
    local preset=$1
    shift
    cmake --preset "$preset" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON >/dev/null &&
        cmake --build --preset "$preset" -- -k 0 "$@" | awk '!/^\[/ || NR % 25 == 1 { print; fflush() }'
}

# tests PRESET CTEST-OPTION...: runs these tests and counts each.
tests() {
    local preset=$1 output counts total bad
    shift
    say "tests, $preset: $*"
    output=$(mktemp)
    "${as[@]}" ctest --preset "$preset" --no-tests=error "$@" 2>&1 | tee "$output"
    counts=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$output")
    read -r bad total <<<"${counts:-1 1}"
    # In CI nothing may be skipped: what a test needs is installed.
    bad=$((bad + $(grep -c '\*\*\*Skipped' "$output")))
    rm -f "$output"
    passed=$((passed + total - bad))
    failed=$((failed + bad))
    [ "$bad" = 0 ] || failures+=("$bad of: $preset $*")
}

# Builds and linters need nothing but processors, and tests mostly wait. So what prepares a later stage runs beside the tests
# of earlier ones, one after the other, at the lowest priority; its output is shown when its stage comes.
prepare_ahead() {
    local stage
    rm -rf build/ahead && mkdir -p build/ahead
    ahead=" $* "
    set -m  # a process group of its own, which ends with this script
    (
        renice -n 19 "$BASHPID" >/dev/null
        for stage in "$@"; do
            "prepare_$stage" >"build/ahead/$stage.log" 2>&1
            echo $? >"build/ahead/$stage.code"
        done
    ) &
    set +m
    trap 'kill -- -'$!' 2>/dev/null' EXIT
}

# prepared STAGE: prepares it, or waits until it has been.
prepared() {
    if [[ $ahead != *" $1 "* ]]; then
        "prepare_$1"
        return
    fi
    until [ -s "build/ahead/$1.code" ]; do sleep 1; done
    cat "build/ahead/$1.log"
    return "$(cat "build/ahead/$1.code")"
}

prepare_style() { tidy; }

stage_style() {
    local sources
    mapfile -t sources < <(find protocol replication server ocf tests bench -name '*.cc' -o -name '*.h')
    check "shellcheck" shellcheck ./*.sh .ci/run ocf/ovndb-servers tests/agent/stub completion/*.bash packaging/debian/*.p{re,ost}*
    check "rooms" tests/style/rooms.py
    check "pages" tests/style/pages.py
    check "clang-format" clang-format --dry-run -Werror "${sources[@]}"
    check "clang-tidy" prepared style
}

# All sources of the programs, several files of a room at once, which takes a quarter of the time; shows where it is.
# Without the static analyzer, which takes as long again: `run-clang-tidy -p build/tidy CMakeFiles` alone runs it, too.
tidy() {
    cmake --preset tidy >/dev/null || return
    run-clang-tidy -quiet -j "$jobs" -checks='-clang-analyzer-*,-bugprone-suspicious-include' -p build/tidy \
        "^$PWD/((protocol|replication|server|ocf)/|build/tidy/CMakeFiles/tandem_.*/Unity/)" 2>&1 |
        awk '/error: |Error while/ { print; bad = 1 }
             /^clang-tidy-/ && ++files % 10 == 1 { print files, $NF; fflush() }
             END { exit bad || files == 0 }'
}

prepare_release() { build release; }

stage_release() {
    check "build, release" prepared release
    tests release -LE 'cluster|hostile|packages' -j "$jobs"
    tests release -L '^hostile$' -j "$jobs"
    [ "$(id -u)" = 0 ] || as=(sudo)  # network namespaces
    tests release -L 'cluster|packages'
    as=()
}

# A part of release, by itself.
prepare_differential() { build release; }

stage_differential() {
    check "build, release" prepared differential
    tests release -L differential -j "$jobs"
}

prepare_asan() { build asan; }

# Memory: all unit tests, the system tests that are not about the size of the data, some seeds of each
# simulation, and each fuzz target for half a minute or a whole one; what it finds stays in build/asan.
stage_asan() {
    export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1
    check "build, asan" prepared asan
    tests asan -L unit -j "$jobs"
    tests asan -L system -E dumps -j "$jobs"
    tests asan -R '^(agent_)?simulation_0$' -j "$jobs"
    tests asan -L fuzz -j "$jobs"
}

prepare_tsan() { build tsan tandem-server unit_{database,writer,storage,net,control,daemon}; }

# Threads: the rooms that have some, and a whole server with clients on many.
stage_tsan() {
    export TSAN_OPTIONS=halt_on_error=0
    check "build, tsan" prepared tsan
    tests tsan -R '^unit_(database|writer|storage|net|control|daemon)$' -j "$jobs"
    tests tsan -R '^system_(threads|idl|pairs|malformed|storm)$'
}

prepare_quickstart() { :; }

stage_quickstart() {
    check "quickstart --check" ./quickstart.sh --check
}

./install-packages.sh build package run test || exit 1
[ $# -gt 0 ] || set -- release asan tsan quickstart style
prepare_ahead "${@:2}"
for stage in "$@"; do
    "stage_$stage"
done

printf '\n'
[ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
