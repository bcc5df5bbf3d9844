#!/bin/bash
# Over a link of 200 Mbit/s and 20 ms between two network namespaces, a clone
# survives a short outage in its connections, a long one and a reset in new
# ones, and sends compressible data in fewer bytes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_link.sh"
require jq

SIZE=$((20 * MIB))
PART=$((2 * MIB)) # when a clone is well under way

number() # SIDE FIELD
{
    jq -r "select(.event == \"summary\").$2" "$1.out"
}

# Starts a clone and returns when it is well under way, and takes its time.
begin()
{
    local i

    start_target copy
    start_slow_source 4MiB image
    for ((i = 0; i < 50 * LONGEST; i++)); do
        [ "$(allocated_bytes .copy.clonewire-partial 2>/dev/null ||
            echo 0)" -lt $PART ] || return 0
        is_running "$SOURCE_PID" || break
        sleep 0.02
    done
    fail "the clone did not get under way"
}

finish() # RECONNECTS, at least
{
    both_succeed
    assert_same image copy $SIZE
    rm copy
    [ "$(number source reconnects)" -ge "$1" ] ||
        fail "$(number source reconnects) reconnects, not $1"
}

start_link 200 10 4096
SOURCE_WITH=(--log-format=json --server-name=localhost --compress=off)
TARGET_WITH=(--log-format=json --once)
make_dense image $SIZE

# Dead for two seconds, which TCP outlives and so do we.
begin
kill -USR1 $LINK_PID
sleep 2
kill -USR1 $LINK_PID
lift_rate
finish 0
assert_equal "$(number source reconnects)" 0 reconnects

# Dead for longer than we are told to believe in it.
SOURCE_WITH+=(--dead-peer-timeout=1s)
TARGET_WITH+=(--dead-peer-timeout=1s)
begin
kill -USR1 $LINK_PID
wait_log source 'connecting again' || fail "the source did not notice"
kill -USR1 $LINK_PID
lift_rate
finish 1
[ "$(number source same_bytes)" -gt 0 ] || fail "what had arrived was lost"

# A reset connection, of the lane or the other one.
begin
kill -USR2 $LINK_PID
wait_log source 'connecting again' || fail "the source was not reset"
lift_rate
finish 1

# Text over the same link, and auto; the first second goes as it is.
SIZE=$((96 * MIB))
make_empty image $SIZE
seq -f "line %.0f of a text that repeats itself" 1 $SIZE | head -c $SIZE |
    dd of=image bs=64K iflag=fullblock conv=notrunc status=none ||
    [ "${PIPESTATUS[2]}" = 0 ]
SOURCE_WITH=(--log-format=json --server-name=localhost)
start_target copy
start_source image
finish 0
[ "$(number source compressed_bytes)" -gt 0 ] || fail "auto did not compress"
[ "$(number source wire_bytes)" -lt $((SIZE * 3 / 4)) ] ||
    fail "$(number source wire_bytes) bytes on the wire of $SIZE"
