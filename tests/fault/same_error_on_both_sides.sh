#!/bin/bash
# For every kind of failure, the last line of both sides has the same kind,
# status, errno, offset and hint, one says that the peer failed, and the
# termination log agrees.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3
one_try
SOURCE_WITH+=(--lanes=1 --termination-log=source.end)
TARGET_WITH+=(--termination-log=target.end)

alike() # BORN KIND STATUS ERRNO OFFSET(null, a number, or any)
{
    python3 - "$@" <<'END' || fail "$2: not told alike"
import json
import sys
born, kind, status, errno, offset = sys.argv[1:]
ends = {}
for side in ("source", "target"):
    last = [json.loads(line) for line in open(side + ".log")][-1]
    left = json.load(open(side + ".end"))
    assert last["level"] == "error" and last["side"] == side, last
    assert last["kind"] == kind and last["status"] == int(status), last
    assert last["errno"] == int(errno), last
    assert last["from_peer"] == (born != side), last
    assert last["hint"] and isinstance(last["retryable"], bool), last
    if offset != "any":
        assert str(last["offset"]).replace("None", "null") == offset, last
    for key in ("kind", "status", "errno", "retryable", "hint", "from_peer"):
        assert left[key] == last[key], (key, left, last)
    assert left["message"] == last["msg"], (left, last)
    ends[side] = {key: last[key] for key in
                  ("kind", "status", "errno", "offset", "retryable", "hint")}
assert ends["source"] == ends["target"], ends
END
}

run_both() # IMAGE DEST [TARGET-OPTION...]
{
    start_target "${@:2}"
    run_source "$1"
    wait_target
}

make_dense data $((8 * MIB))
make_empty backing $((8 * MIB))

faulty_up data eio-read $((3 * MIB)) $((3 * MIB + 4096))
run_both "$FAULTY_DISK" copy
alike source source-io 30 5 any

make_empty huge $((10 * 1024 * GIB))
run_both huge copy
alike target no-space 10 0 null

faulty_up backing eio-write $((5 * MIB)) $((5 * MIB + 4096))
attach "$FAULTY_DISK" --direct-io=on
run_both data "$LOOP"
alike target target-io 31 5 any

# Stopped by hand: over there it is the other side that gave up.
faulty_up data slow 2M
start_target copy
start_source "$FAULTY_DISK" --rate=64KiB
wait_log target copying || fail "it did not begin"
kill -TERM "$SOURCE_PID"
wait_source
wait_target
assert_status source 143
assert_status target 40
assert_log source '"kind":"cancelled","status":143,.*"retryable":true'
assert_log target '"kind":"peer","status":40,.*"from_peer":true'
