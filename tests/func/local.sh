#!/bin/bash
# --to copies on this machine, with the same bytes, holes, refusals and errors
# as over the network.
. "$(dirname "$0")/lib.sh"
require qemu-img

copy_to() # IMAGE DEST [OPTION...]: SOURCE_STATUS
{
    SOURCE_STATUS=0
    timeout 60 "$SOURCE" "${@:3}" "$1" --to "$2" >source.out 2>source.log \
        </dev/null || SOURCE_STATUS=$?
}

bytes=$((37 * MIB + 1536))
make_sparse image $bytes
copy_to image copy
assert_status source 0
assert_same image copy $bytes
assert_allocation image copy
raw_digest=$(digest_of source)
assert_log source "^data copied "
refute_log source 'wire|cipher|peer'
[ -z "$(find . -name '.*clonewire*')" ] || fail "a partial stayed"

# Another way to the same disk, by network: the same digest.
clone image by-network
assert_equal "$(digest_of source)" "$raw_digest" "digest of a clone"

for engine in uring threads; do
    for mode in direct buffered; do
        rm -f copy
        copy_to image copy --io-engine $engine --io-mode $mode --lanes 3
        [ $engine != uring ] || [ "$SOURCE_STATUS" != 1 ] || continue
        assert_status source 0
        cmp image copy
        assert_equal "$(digest_of source)" "$raw_digest" "$engine, $mode"
    done
done

# Formats: what qemu-img makes of the copy's source is what we make.
qemu-img convert -c -O qcow2 image image.qcow2
xz -k -1 image.qcow2
for container in image.qcow2 image.qcow2.xz; do
    rm -f copy
    copy_to $container copy --lanes 2
    assert_status source 0
    cmp -n $bytes image copy
done

# Preallocated: every zero is written, or its space reserved.
for how in falloc full; do
    rm -f copy
    copy_to image copy --preallocate $how
    assert_status source 0
    cmp image copy
    [ "$(allocated_bytes copy)" -ge $((bytes - 4096)) ] || fail "$how is sparse"
done

# Refusals, before anything is written.
copy_to image copy
assert_status source 11
assert_log source 'copy exists; --overwrite'
copy_to image image --overwrite
assert_status source 11
assert_log source 'are the same disk'
copy_to image copy --overwrite
assert_status source 0
copy_to nothing there
assert_status source 2
[ ! -e there ] || fail "a copy of nothing"
SOURCE_STATUS=0
"$SOURCE" image localhost:1 --to there 2>source.log || SOURCE_STATUS=$?
assert_status source 2
assert_log source '--to \(CLONEWIRE_TO\) and HOST:PORT'
truncate -s 15T huge
copy_to huge there
assert_status source 10
assert_log source 'does not fit'
[ ! -e there ] || fail "what does not fit was made"
rm huge

# Stopped: no disk of that name, and nothing beside it.
make_dense dense $((256 * MIB))
"$SOURCE" dense --to stopped --io-mode buffered --progress json \
    >source.out 2>source.log &
SOURCE_PID=$!
at_exit stop_process $SOURCE_PID
wait_log source '"phase":"copying"' || fail "it never copied"
kill -TERM $SOURCE_PID
wait_source
[ "$SOURCE_STATUS" = 0 ] || assert_status source 143
[ "$SOURCE_STATUS" = 0 ] || [ ! -e stopped ] || fail "half a disk has the name"
rm -f dense stopped

if [ "$(id -u)" = 0 ] && [ -e /dev/loop-control ]; then
    attach_dirty device $((64 * MIB))
    copy_to image "$LOOP"
    assert_status source 11
    assert_log source 'holds data of an unknown kind: say --yes'
    copy_to image "$LOOP" --yes
    assert_status source 0
    assert_same image "$LOOP" $bytes
    assert_equal "$(digest_of source)" "$raw_digest" "digest to a device"
    copy_to "$LOOP" "$LOOP" --yes
    assert_status source 11
fi
