#!/bin/bash
# A disk that does not fit: both sides print the numbers as JSON, and a volume
# of the size that they name is large enough.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4 python3

make_empty image $((100 * MIB))
truncate -s 64M volume
mkfs.ext4 -q volume
mount_at mounted volume -o loop

SOURCE_WITH=(--log-format=json) TARGET_WITH=(--log-format=json)
start_target mounted/disk.img
run_source image
wait_target
assert_status source 10
assert_status target 10
python3 - source.log target.log <<'END' >volume_bytes || fail "the numbers"
import json
import sys

MIB = 1 << 20
errors = [[row for row in map(json.loads, open(name))
           if row.get("level") == "error"][-1] for name in sys.argv[1:]]
for error in errors:
    assert error["kind"] == "no-space" and error["status"] == 10, error
    assert error["retryable"] is False, error
    assert error["need_bytes"] >= 100 * MIB, error
    assert error["usable_bytes"] <= error["have_bytes"] <= 64 * MIB, error
    assert error["shortfall_bytes"] == \
        error["need_bytes"] - error["have_bytes"], error
    # ceil(ceil_1MiB(size) * 1.055), the controller's own formula, at least
    assert error["volume_bytes"] >= -(-100 * MIB * 1055 // 1000), error
keys = [key for key in errors[0] if key.endswith("_bytes")]
assert len(keys) == 5
assert all(errors[0][key] == errors[1][key] for key in keys), errors
assert errors[0]["from_peer"] and not errors[1]["from_peer"], errors
print(errors[0]["volume_bytes"])
END

# A volume of the size that was said to do does.  (Another file: the loop device of
# the first may be there for a while, and is taken again for the same.)
truncate -s "$(cat volume_bytes)" larger
mkfs.ext4 -q larger
mount_at roomy larger -o loop
clone image roomy/disk.img
assert_same image roomy/disk.img $((100 * MIB))
