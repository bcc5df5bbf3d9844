#!/bin/bash
# cdi-uploadserver receives a block clone of CDI's cloner, snappy frames, to a
# file and to a device. It checks every checksum, leaves no incomplete disk,
# and replaces what an earlier run left.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require python3 qemu-img

SNAP=$TESTS/tools/snapframe.py
CLONE=(-H "x-cdi-content-type: blockdevice-clone")
mkdir data
put_noise image $((3 * MIB)) $((MIB / 2 + 4096))
truncate -s $((8 * MIB + 512)) image
"$SNAP" <image >stored
"$SNAP" --packed <image >packed

for body in stored packed; do
    start_server data/disk.img
    upload - "${CLONE[@]}" <$body # as the cloner does: chunked
    assert_answer 200
    [ ! -s answer ] || fail "200 with a body: $(cat answer)"
    wait_success "Clone Complete"
    assert_same image data/disk.img "$(stat -c %s image)"
    assert_allocation image data/disk.img
    assert_equal "$(stat -c %a data/disk.img)" 660 mode
done
start_server data/disk.img
upload stored "${CLONE[@]}" # of a length that is known
assert_answer 200
wait_success "Clone Complete"
assert_same image data/disk.img "$(stat -c %s image)"

# What an earlier run left does not matter: not a disk of that name ...
start_server data/disk.img
assert_refused() # STATUS WHY
{
    assert_answer "$1" "Saving stream failed: "
    grep -qE -- "$2" answer || fail "not \"$2\": $(cat answer)"
    assert_equal "$(find data -size +0 | grep -c img)" 0 "files left"
}
# ... though a clone that fails does not keep it, either.
cp stored wrong
printf x | dd of=wrong bs=1 seek=2000000 conv=notrunc status=none
upload - "${CLONE[@]}" <wrong
assert_refused 500 'checksum|check'
head -c -10 stored >cut-off
upload - "${CLONE[@]}" <cut-off
assert_refused 500 'snappy stream'
tail -c +11 stored >nameless
upload - "${CLONE[@]}" <nameless
assert_refused 500 'snappy stream'
upload - "${CLONE[@]}" <image # raw bytes
assert_refused 500 'snappy stream'
: >empty
upload - "${CLONE[@]}" <empty
assert_refused 500 'snappy stream'
"$SNAP" <empty >nothing # an identifier, and no disk
upload - "${CLONE[@]}" <nothing
assert_refused 500 'not a disk'
upload - "${CLONE[@]}" /v1beta1/upload-async <stored
assert_refused 500 'async clone not supported'
upload - "${CLONE[@]}" -H "x-clonewire-disk-bytes: 1048576" <stored
assert_refused 500 'announced'
upload - "${CLONE[@]}" -H "x-clonewire-disk-bytes: 999999999999999" <stored
assert_refused 400 'larger than the reported available storage'

# A killed server leaves half a disk, without its name; the next one begins
# anew.
mkfifo slow
upload - "${CLONE[@]}" <slow &
exec 7>slow
head -c 5000000 stored >&7
for ((i = 0; i < 500; i++)); do
    [ "$(du -s --block-size=1 data | cut -f 1)" -lt 300000 ] || break
    sleep 0.02
done
stop_process $TARGET_PID
exec 7>&-
wait $! || true
[ ! -e data/disk.img ] || fail "half a disk has the name"
start_server data/disk.img
upload - "${CLONE[@]}" <stored
assert_answer 200
wait_success "Clone Complete"
assert_same image data/disk.img "$(stat -c %s image)"
assert_equal "$(ls -A data)" disk.img files

# A device, larger, full of what its last owner left.
require_loop
attach_dirty dirty $((16 * MIB))
start_server "$LOOP"
upload - "${CLONE[@]}" <stored
assert_answer 200
wait_success "Clone Complete"
assert_same image "$LOOP" "$(stat -c %s image)"

# One that is too small.
attach_new small $((4 * MIB))
start_server "$LOOP"
upload - "${CLONE[@]}" <stored
assert_answer 400 "effective image size is larger than the reported available"
