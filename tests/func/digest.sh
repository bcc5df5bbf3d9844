#!/bin/bash
# --digest of either program prints only the digest of the disk. It is the same
# in every format, and another if one byte differs.
. "$(dirname "$0")/lib.sh"
require qemu-img gzip xz

SIZE=$((21 * MIB + 12288))

root() # PROGRAM DISK [OPTION...]: exactly one line, the root
{
    local text

    text=$("$1" --digest "${@:2}") || fail "$1 --digest ${*:2}: status $?"
    [[ $text =~ ^(xxh3-128|sha256):[0-9a-f]{64}$ ]] || fail "not a root: $text"
    echo "$text"
}

make_sparse sparse $SIZE
cp --sparse=never sparse dense
qemu-img convert -f raw -O qcow2 sparse disk.qcow2
qemu-img convert -c -f raw -O qcow2 sparse packed.qcow2
gzip -c dense >disk.gz
xz -0 -c dense >disk.xz
xz -0 -c packed.qcow2 >disk.qcow2.xz

for algorithm in xxh3-128 sha256; do
    wanted=$(root "$SOURCE" sparse --digest-algorithm $algorithm)
    [[ $wanted == $algorithm:* ]] || fail "not $algorithm: $wanted"
    for disk in dense disk.qcow2 packed.qcow2 disk.gz disk.xz disk.qcow2.xz; do
        assert_equal "$(root "$SOURCE" $disk --digest-algorithm $algorithm)" \
            "$wanted" "$algorithm of $disk"
    done
    for disk in sparse dense; do
        assert_equal "$(root "$TARGET" $disk --digest-algorithm $algorithm)" \
            "$wanted" "$algorithm of $disk on the target's side"
    done
done

# A clone of it reports the same, and so does the disk it has made.
clone packed.qcow2 copy
wanted=$(root "$SOURCE" sparse)
assert_equal "$(digest_of source)" "$wanted" "digest of the clone"
assert_equal "$(root "$TARGET" copy)" "$wanted" "digest of the copy"

printf x | dd of=dense bs=1 seek=$((SIZE - 1)) conv=notrunc status=none
[ "$(root "$SOURCE" dense)" != "$wanted" ] || fail "one byte makes no difference"
status=0
"$TARGET" --digest nothing-there >answer 2>&1 || status=$?
assert_equal $status 2 "status for no disk"
[ ! -e nothing-there ] || fail "--digest made a file"
