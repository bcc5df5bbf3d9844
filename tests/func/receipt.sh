#!/bin/bash
# --check-receipt compares any copy, in any format, with the receipt that
# --receipt wrote: equal, or the place of a flipped bit.
. "$(dirname "$0")/lib.sh"
require qemu-img gzip xz python3

SIZE=$((21 * MIB + 12288))

check() # STATUS PROGRAM RECEIPT DISK [OPTION...]: into answer and why
{
    local status=0

    "$2" --check-receipt "$3" "${@:5}" "$4" >answer 2>why || status=$?
    [ $status = "$1" ] || fail "$2 $3 $4: status $status: $(cat answer why)"
}

assert_receipt() # FILE SIDE
{
    python3 - "$1" "$2" $SIZE "$(digest_of source)" <<'END'
import datetime, json, os, sys
path, side, size, digest = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    receipt = json.load(file)
assert receipt["type"] == "clonewire-receipt" and receipt["version"] == 1
assert receipt["side"] == side
assert receipt["disk_bytes"] == receipt["verified_bytes"] == int(size)
assert receipt["digest"] == digest, (receipt["digest"], digest)
assert receipt["digest_algorithm"] == digest.split(":")[0]
assert receipt["image_format"] == "qcow2"
assert receipt["software"].startswith("clonewire ")
assert receipt["peer_software"].startswith("clonewire ") or side == "local"
begun, ended = (datetime.datetime.fromisoformat(receipt[key][:-1])
                for key in ("begun", "ended"))
assert begun <= ended
chunks = os.path.join(os.path.dirname(path), receipt["chunk_digests"])
assert os.path.getsize(chunks) == -(-int(size) // 1048576) * 16
END
}

make_sparse raw $SIZE
qemu-img convert -f raw -O qcow2 raw image
mkdir kept
SOURCE_WITH=(--receipt kept/source.json)
TARGET_WITH=(--receipt kept/target.json)
clone image copy
assert_receipt kept/source.json source
assert_receipt kept/target.json target
cmp kept/source.json.chunks kept/target.json.chunks
[ "$(find kept -type f | wc -l)" = 4 ] || fail "something else is left"

# Any form of it, on the side that can read it; a device may be larger.
cp --sparse=never raw dense
gzip -c dense >disk.gz
xz -0 -c image >disk.qcow2.xz
for receipt in kept/source.json kept/target.json; do
    for disk in image copy dense disk.gz disk.qcow2.xz; do
        check 0 "$SOURCE" $receipt $disk
        grep -qF "$(digest_of source)" answer || fail "no digest: $(cat answer)"
    done
    check 0 "$TARGET" $receipt copy
done
check 0 "$SOURCE" kept/target.json disk.gz --json
python3 -c 'import json; assert json.load(open("answer"))["equal"] is True'
if [ "$(id -u)" = 0 ]; then
    cp dense larger
    printf 'more' >>larger
    truncate -s 24M larger
    attach larger
    check 0 "$TARGET" kept/target.json "$LOOP"
    check 0 "$SOURCE" kept/target.json "$LOOP"
    detach "$LOOP"
fi

# One bit, in the middle of a chunk and in the short last one.
for offset in $((7 * MIB + 4711)) $((SIZE - 1)); do
    cp dense wrong
    python3 - wrong "$offset" <<'END'
import sys
with open(sys.argv[1], "r+b") as disk:
    disk.seek(int(sys.argv[2]))
    byte = disk.read(1)[0]
    disk.seek(int(sys.argv[2]))
    disk.write(bytes([byte ^ 16]))
END
    first=$((offset / MIB * MIB))
    for program in "$SOURCE" "$TARGET"; do
        check 14 "$program" kept/source.json wrong
        grep -q "^differs at $first, " answer || fail "where: $(cat answer)"
        grep -q "1 chunks differ.*chunk $((offset / MIB)) at $first" why ||
            fail "why: $(cat why)"
    done
    check 14 "$SOURCE" kept/source.json wrong --json --log-format json
    grep -q "\"offset\":$first,\"length\":[0-9]*}" answer ||
        fail "json: $(cat answer)"
    grep -q "\"kind\":\"mismatch\".*\"offset\":$first," why ||
        fail "json: $(cat why)"
done

# Not even the size; and without the table of chunks it can tell no place.
truncate -s $((SIZE - 512)) wrong
check 14 "$TARGET" kept/source.json wrong
grep -q "a disk of $((SIZE - 512)) bytes" why || fail "$(cat why)"
cp dense wrong
printf x | dd of=wrong bs=1 seek=5 conv=notrunc status=none
rm kept/source.json.chunks
check 14 "$SOURCE" kept/source.json wrong
grep -q 'where it differs is unknown' why || fail "$(cat why)"
check 0 "$SOURCE" kept/source.json dense
check 2 "$SOURCE" kept/none.json dense
check 13 "$SOURCE" dense dense

# Within this machine, too.  What cannot be written is told before.
SOURCE_STATUS=0
"$SOURCE" image --to here --receipt here.json >source.out 2>source.log ||
    SOURCE_STATUS=$?
assert_status source 0
check 0 "$TARGET" here.json here
check 0 "$SOURCE" here.json raw
refuse_target 2 'no receipt can be written' other --receipt nowhere/r.json
"$SOURCE" image --to other --receipt nowhere/r.json >source.out 2>source.log &&
    fail "a copy without its receipt"
[ ! -e other ] || fail "it copied first"
