#!/bin/bash
# The termination log is one JSON object in a file that is written in place:
# the result, the side, and numbers for a controller.
. "$(dirname "$0")/lib.sh"
require python3

# json FILE EXPRESSION: true of the object w, which is under 4 KiB
json()
{
    python3 - "$@" <<'P' || fail "$1: not $2: $(cat "$1")"
import json, sys
text = open(sys.argv[1]).read()
w = json.loads(text)
sys.exit(0 if len(text) < 4096 and eval(sys.argv[2]) else 1)
P
}

make_dense disk.img $((8 * MIB))
echo "much longer than what will be there: $(printf '%4000d' 0)" >target.word
ln target.word same.word
start_target copy.img --termination-log target.word --preallocate falloc
run_source disk.img --termination-log source.word
wait_target
assert_status target 0
[ target.word -ef same.word ] || fail "the file was replaced"
json target.word 'w["message"] == "clone complete" and w["kind"] == "success"'
json target.word 'w["side"] == "target" and w["bytes"] == w["disk_bytes"] == 8 << 20'
json target.word 'w["preallocation"] == "falloc" and w["preallocationApplied"] is True'
json target.word "w['digest'] == '$(digest_of target)'"
json target.word '0 < w["duration_seconds"] < 60'
json source.word 'w["side"] == "source" and w["kind"] == "success"'

# A failure: cause, kind and numbers are those of the last line on stderr.
truncate -s 1T huge.img
start_target /dev/shm/clonewire-$$.img --termination-log target.word
at_exit rm -f /dev/shm/clonewire-$$.img
run_source huge.img --termination-log source.word
wait_target
assert_status target 10
assert_status source 10
json target.word 'w["kind"] == "no-space" and w["status"] == 10'
json target.word 'w["retryable"] is False and w["from_peer"] is False'
json target.word 'w["need_bytes"] > w["have_bytes"] and w["shortfall_bytes"] > 0'
json source.word 'w["kind"] == "no-space" and w["from_peer"] is True'
for side in source target; do
    assert_equal "$side: $(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["message"])' $side.word)" \
        "$(tail -n 1 $side.log)" "message of the $side"
done

# A stop, and a mistake in the options.
start_target stopped.img --termination-log target.word
kill -TERM "$TARGET_PID"
wait_target
assert_status target 143
json target.word 'w["kind"] == "cancelled" and w["status"] == 143'
"$SOURCE" --lanes none --termination-log source.word a b 2>/dev/null && fail "it ran"
json source.word 'w["kind"] == "usage" and w["status"] == 2'

# A file that cannot be written is told, and changes nothing else.
start_target other.img --termination-log /proc/version
run_source disk.img
wait_target
assert_status target 0
assert_log target 'cannot write /proc/version: '
