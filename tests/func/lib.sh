# shellcheck shell=bash disable=SC2119,SC2120
# lib.sh - every func and fault script sources it first.
#
# A script runs the real programs over loopback and asserts one behaviour.  It
# exits 0 (it holds), 77 (cannot run here; prints the reason) or anything else
# (it does not hold; prints both logs).  Its files, processes, loop devices and
# mounts are removed when it ends.  docs/testing.md describes every function.
#
#   CW_BUILD   build directory (cmd/clonewire-source, …), from ctest
#
#   start_target DEST [OPTION…]     up and listening: TARGET_ADDRESS
#   refuse_target STATUS REGEX DEST [OPTION…]   one that fails before it listens
#   run_source IMAGE [OPTION…]      to the end: SOURCE_STATUS
#   start_source, wait_source, wait_target; both_succeed
#   start_slow_source RATE IMAGE…, lift_rate
#   clone IMAGE DEST                a whole clone; both sides must exit 0;
#                                   options in SOURCE_WITH and TARGET_WITH
#   assert_status SIDE STATUS; assert_log SIDE REGEX; refute_log SIDE REGEX
#   assert_same IMAGE DEST BYTES; assert_allocation IMAGE DEST
set -euo pipefail

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCRIPT=$(cd "$(dirname "$0")" && pwd)/${0##*/}
CW_BUILD=$(cd "${CW_BUILD:-$TESTS/../build/dev}" && pwd)
SOURCE=$CW_BUILD/cmd/clonewire-source
TARGET=$CW_BUILD/cmd/clonewire-target
TOOLS=$CW_BUILD/tests/tools
KIB=1024 MIB=1048576 GIB=1073741824
LONGEST=60 # seconds that one side may take

# A script sets these for the next start_target or start_source.
SOURCE_WITH=() TARGET_WITH=()     # options
SOURCE_UNDER=() TARGET_UNDER=()   # commands to run it under
SOURCE_IDENTITY=() TARGET_IDENTITY=()
LISTEN=127.0.0.1:0

fail()
{
    echo "FAILED: $*" >&2
    exit 1
}

skip()
{
    echo "skipped: $*"
    exit 77
}

require()
{
    local command

    for command; do
        command -v "$command" >/dev/null || skip "$command is not installed"
    done
}

require_root()
{
    [ "$(id -u)" = 0 ] || skip "needs root: $*"
}

# Address and thread sanitizers multiply memory and time.
require_plain_build()
{
    ! grep -qE '__(asan|tsan)_init' "$SOURCE" ||
        skip "not in a sanitizer build: $*"
}

# There files are the page cache, and have no direct I/O.
refuse_tmpfs()
{
    case $(stat -f -c %T .) in tmpfs | ramfs) skip "not on tmpfs" ;; esac
}

# ---- clean-up ----

undo_list=()

at_exit() # COMMAND ARGUMENT...: runs at the end; the last one runs first
{
    undo_list+=("$(printf '%q ' "$@")")
}

undo_all()
{
    local status=$? i

    trap - EXIT
    set +e
    cd "$WORK" # a mount we stand in cannot be undone
    for ((i = ${#undo_list[@]} - 1; i >= 0; i--)); do
        eval "${undo_list[i]}"
    done
    if [ $status != 0 ] && [ $status != 77 ]; then
        print_logs >&2
    fi
    cd /
    rm -rf "$WORK"
    exit $status
}

print_logs()
{
    local log

    for log in "$WORK"/*.log; do
        [ -s "$log" ] || continue
        echo "---- ${log##*/}"
        tail -n 40 "$log"
    done
}

is_child() # PID: of this shell; its number may have been used again
{
    local stat fields

    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra fields <<<"${stat##*) }"
    [ "${fields[1]}" = "$BASHPID" ]
}

stop_process() # PID of a child: kills it and waits for it
{
    ! is_child "$1" || kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

WORK=$(mktemp -d "$PWD/${SCRIPT##*/}.XXXXXX")
cd "$WORK"
trap undo_all EXIT
trap 'exit 1' INT TERM HUP

. "$TESTS/tools/certificates.sh"
. "$TESTS/tools/disks.sh"

[ -x "$SOURCE" ] || fail "no $SOURCE: build first"
[ -x "$TARGET" ] || fail "no $TARGET: build first"
certificates_make "$CW_BUILD/tests/certificates"

# ---- both programs ----

identity() # NAME: options that make a side present NAME's certificate
{
    echo --cert "$CERTS/$1.crt" --key "$CERTS/$1.key" --ca "$CERTS/ca.crt"
}

# A port to reuse: outside the range of ephemeral ports.
own_port()
{
    local least port

    read -r least _ </proc/sys/net/ipv4/ip_local_port_range
    [ "$least" -gt 11000 ] || least=32768
    while port=$((10000 + SRANDOM % (least - 10000)))
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo $port
}

launch_target() # DEST [OPTION...]
{
    local dest=$1

    shift
    [ ${#TARGET_IDENTITY[@]} -gt 0 ] ||
        read -ra TARGET_IDENTITY < <(identity target)
    : >target.log
    TARGET_STATUS=
    "${TARGET_UNDER[@]}" "$TARGET" --yes --listen "$LISTEN" \
        "${TARGET_IDENTITY[@]}" "${TARGET_WITH[@]}" "$@" "$dest" \
        >target.out 2>>target.log &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
}

start_target() # DEST [OPTION...]
{
    launch_target "$@"
    wait_listening
}

# A target that should refuse before it listens.
refuse_target() # STATUS REGEX DEST [OPTION...]
{
    launch_target "${@:3}"
    wait_target 10
    assert_status target "$1"
    assert_log target "$2"
    refute_log target 'listening on'
}

wait_listening()
{
    wait_log target 'listening on [^ "]+:[0-9]+' ||
        { wait_target; fail "target never listened: status $TARGET_STATUS"; }
    TARGET_ADDRESS=$(grep -oE 'listening on [^ "]+:[0-9]+' target.log |
        head -n 1 | cut -d ' ' -f 3)
}

# Source in the background.  SOURCE_DIALS: what to dial instead of the address.
start_source() # IMAGE [OPTION...]
{
    local image=$1

    shift
    [ ${#SOURCE_IDENTITY[@]} -gt 0 ] ||
        read -ra SOURCE_IDENTITY < <(identity source)
    : >source.log
    SOURCE_STATUS=
    "${SOURCE_UNDER[@]}" "$SOURCE" "${SOURCE_IDENTITY[@]}" \
        "${SOURCE_WITH[@]}" "$@" "$image" "${SOURCE_DIALS:-$TARGET_ADDRESS}" \
        >source.out 2>>source.log &
    SOURCE_PID=$!
    at_exit stop_process $SOURCE_PID
}

# A source limited to RATE, until lift_rate.
start_slow_source() # RATE IMAGE [OPTION...]
{
    echo "$1" >"$WORK/rate"
    start_source "${@:2}" --rate-file "$WORK/rate"
}

lift_rate()
{
    echo off >"$WORK/rate"
    kill -HUP "$SOURCE_PID"
}

run_source() # IMAGE [OPTION...]
{
    start_source "$@"
    wait_source
}

is_running() # PID: false for a zombie
{
    local stat

    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    [[ ${stat##*) } != Z* ]]
}

# Waits for a child and returns its status; fails the test after SECONDS.
wait_process() # PID NAME [SECONDS]
{
    local deadline=$((SECONDS + ${3:-$LONGEST}))

    while is_running "$1"; do
        [ $SECONDS -le $deadline ] ||
            fail "$2 is still running after ${3:-$LONGEST} s"
        sleep 0.02
    done
    wait "$1"
}

wait_source() # [SECONDS]
{
    SOURCE_STATUS=0
    wait_process "$SOURCE_PID" source "$@" || SOURCE_STATUS=$?
}

wait_target() # [SECONDS]
{
    TARGET_STATUS=0
    wait_process "$TARGET_PID" target "$@" || TARGET_STATUS=$?
}

# True when SIDE logs a line matching REGEX; false if it ends without.
wait_log() # SIDE REGEX
{
    local side=$1 regex=$2 pid deadline=$((SECONDS + LONGEST))

    if [ "$side" = target ]; then pid=$TARGET_PID; else pid=$SOURCE_PID; fi
    until grep -qE -- "$regex" "$side.log"; do
        is_running "$pid" || { grep -qE -- "$regex" "$side.log"; return; }
        [ $SECONDS -le $deadline ] || return 1
        sleep 0.02
    done
}

# A foreign peer or a proxy: ready once it prints "listening on".
start_helper() # NAME COMMAND ARGUMENT...: HELPER_PID, HELPER_ADDRESS
{
    local name=$1 deadline=$((SECONDS + LONGEST))

    shift
    : >"$name.log" # before it starts: the previous one wrote here, too
    "$@" >>"$name.log" 2>&1 &
    HELPER_PID=$!
    at_exit stop_process $HELPER_PID
    while [ $SECONDS -le $deadline ]; do
        HELPER_ADDRESS=$(sed -n 's/^listening on //p' "$name.log")
        [ -z "$HELPER_ADDRESS" ] || return 0
        is_running $HELPER_PID || break
        sleep 0.02
    done
    fail "$name never listened: $(cat "$name.log")"
}

# From here on a failed session ends both sides: neither retries or waits.
one_try()
{
    SOURCE_WITH+=(--retry-for off)
    TARGET_WITH+=(--retry-for off --once)
}

# The target logs REGEX for a client that it does not serve, and waits on; this
# ends it.
assert_turned_away() # REGEX
{
    wait_log target "$1" || fail "the target did not log: $1"
    is_running "$TARGET_PID" || fail "a client has ended the target"
    stop_process "$TARGET_PID"
}

# Both end, with status 0 and one digest.
both_succeed()
{
    wait_source
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
}

clone() # IMAGE DEST
{
    start_target "$2"
    run_source "$1"
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
}

# ---- assertions ----

assert_status() # SIDE STATUS
{
    local got

    if [ "$1" = target ]; then got=$TARGET_STATUS; else got=$SOURCE_STATUS; fi
    [ "$got" = "$2" ] || fail "$1 exited $got, not $2"
}

# The output of a side: the summary on stdout, everything else on stderr.
output_of() # SIDE
{
    cat "$1.out" "$1.log" 2>/dev/null || true
}

assert_log() # SIDE REGEX
{
    output_of "$1" | grep -E -- "$2" >/dev/null ||
        fail "$1 did not say: $2"
}

refute_log() # SIDE REGEX
{
    ! output_of "$1" | grep -E -- "$2" || fail "$1 said: $2"
}

# Both sides end with STATUS and the same cause.
assert_both_fail() # STATUS REGEX
{
    local side

    for side in source target; do
        assert_status $side "$1"
        grep -E -- "^$side: .*($2)" $side.log >/dev/null ||
            fail "$side did not end with: $2"
    done
}

digest_of() # SIDE
{
    output_of "$1" | grep -oE '(xxh3-128|sha256):[0-9a-f]{64}' |
        tail -n 1
}

assert_digests_equal()
{
    local source target

    source=$(digest_of source) || fail "source printed no digest"
    target=$(digest_of target) || fail "target printed no digest"
    [ "$source" = "$target" ] || fail "digests: $source and $target"
}

assert_equal() # GOT WANTED WHAT
{
    [ "$1" = "$2" ] || fail "$3: $1, not $2"
}

# The first BYTES are equal; after them DEST has zeros or nothing.
assert_same() # IMAGE DEST BYTES
{
    local tail

    cmp -n "$3" -- "$1" "$2" || fail "$2 differs from $1"
    tail=$(($(disk_bytes "$2") - $3))
    [ $tail -ge 0 ] || fail "$2 is $((-tail)) bytes short"
    [ ! -f "$2" ] || [ $tail = 0 ] || fail "$2 is $tail bytes too long"
    cmp -i "$3":0 -n "$tail" -- "$2" /dev/zero ||
        fail "$2 is not zero after byte $3"
}

# A file takes no more space than the image, to 2 % and 1 MiB.
assert_allocation() # IMAGE DEST
{
    local image dest

    image=$(allocated_bytes "$1")
    dest=$(allocated_bytes "$2")
    [ "$dest" -le $((image + image / 50 + MIB)) ] ||
        fail "$2 takes $dest bytes, $1 only $image"
}
