#!/bin/bash
# cdi-cloner sends all files of a volume as a tar stream, and GNU tar extracts
# the same tree: hidden files, links, holes and unusual names, without
# lost+found.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cloner.sh"
. "$TESTS/func/lib_tree.sh"

mkdir -p volume/sub/empty volume/lost+found
make_sparse volume/disk.img $((8 * MIB + 5))
make_empty volume/hole $((16 * MIB))
echo hidden >volume/.hidden
ln volume/.hidden volume/sub/hard
ln -s ../nowhere volume/sub/soft
echo odd >volume/"$(printf -- '-odd\n*')"
chmod 2750 volume/sub
chmod 0600 volume/sub/hard
find volume -exec touch -h -d @1600000000.5 {} +

start_http_server
run_cloner filesystem "$PWD/volume" -v=3
assert_complete
wait_process "$SERVER_PID" server
grep -qx 'x-cdi-content-type: filesystem-clone' body.head ||
    fail "head: $(cat body.head)"
! grep -q disk-bytes body.head || fail "a disk was told: $(cat body.head)"
[ "$(disk_bytes body)" -lt $((5 * MIB)) ] || fail "holes were sent"
rmdir volume/lost+found
touch -d @1600000000.5 volume
mkdir -m 755 unpacked
tar --preserve-permissions --no-same-owner -xC unpacked <body
assert_tree volume unpacked
assert_allocation volume/disk.img unpacked/disk.img

# Preallocated: every byte is in the stream, and zeros cost little.
cloner_env PREALLOCATION=true
start_http_server
run_cloner filesystem "$PWD/volume"
assert_complete 'Clone Complete, Preallocation applied'
wait_process "$SERVER_PID" server
[ "$(disk_bytes body)" -gt $((24 * MIB)) ] || fail "holes were left out"
[ "$(server_fact wire_bytes)" -lt $((4 * MIB)) ] || fail "$(cat body.facts)"
rm -rf unpacked
mkdir unpacked
tar -xC unpacked <body
diff -r --no-dereference volume unpacked || fail "other content"
[ "$(allocated_bytes unpacked/hole)" -ge $((16 * MIB)) ] || fail "a hole"
CLONER_ENV=()

# An empty volume is an empty archive, not an empty body.
mkdir nothing
start_http_server
run_cloner filesystem "$PWD/nothing"
assert_complete
wait_process "$SERVER_PID" server
[ -s body ] && [ -z "$(tar tf body)" ] || fail "no empty archive"

# What cannot be read is told, and is no success.
if [ "$(id -u)" = 0 ]; then
    run_as=(setpriv --reuid 107 --regid 107 --clear-groups)
    chmod 711 .
    mkdir shut
    echo secret >shut/file
    chmod 600 shut/file
    chmod 755 shut
    SOURCE_UNDER=("${run_as[@]}")
    start_http_server
    "${run_as[@]}" test -x "$CLONER" -a -r "$PWD/shut" &&
        { run_cloner filesystem "$PWD/shut"
          assert_failed 'file: Permission denied'; }
    exit 0
fi
