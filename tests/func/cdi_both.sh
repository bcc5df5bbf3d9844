#!/bin/bash
# cdi-cloner and cdi-uploadserver clone to each other in all pairs of modes: a
# raw disk over clonewire/1, other content or with CLONEWIRE_HTTP_ONLY over
# HTTP.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

make_sparse disk $((6 * MIB + 512))
mkdir volume
cp --sparse=always disk volume/disk.img

both() # MODE PATH DEST
{
    start_server "$3"
    SERVER_ADDRESS=$TARGET_ADDRESS
    mv -f term target.term 2>/dev/null || true
    run_cloner "$1" "$2"
    assert_status source 0
    wait_target
    assert_status target 0
}

for http in false true; do
    cloner_env CLONEWIRE_HTTP_ONLY=$http
    protocol=clonewire/1
    [ $http = false ] || protocol=http/1.1

    # block -> file, and file -> file of a volume with nothing but a disk
    for from in "block $PWD/disk" "filesystem $PWD/volume"; do
        mkdir -p data
        # shellcheck disable=SC2086 # two words
        both $from "$PWD/data/disk.img"
        assert_log source "by $protocol"
        cmp disk data/disk.img || fail "$from by $protocol: another disk"
        assert_allocation disk data/disk.img
        assert_equal "$(ls -A data)" disk.img "files beside the disk"
        rm -rf data
    done
done

# A tree goes by HTTP even so.
echo more >volume/.more
ln volume/.more volume/again
mkdir data
CLONER_ENV=()
# With whom else may do what, where there is that.
setfacl -m u:54321:rw volume/.more 2>acl.log || : >no-acls
both filesystem "$PWD/volume" "$PWD/data/disk.img"
assert_log source 'by http/1.1'
diff -r --no-dereference volume data || fail "another tree"
[ volume/again -ef volume/.more ] && [ data/again -ef data/.more ] ||
    fail "a hard link became two files"
assert_allocation volume/disk.img data/disk.img
[ -e no-acls ] || getfacl -n data/.more 2>&1 | grep -qx 'user:54321:rw-' ||
    fail "an ACL is lost: $(getfacl -n data/.more 2>&1)"
