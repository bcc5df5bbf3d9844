#!/bin/bash
# The index of a directory from a hostile source: names that climb or come
# twice, links in the way, absurd sizes, bytes that are no index.  All are
# refused, on both ends with the same cause, and nothing outside of the
# destination is touched.
. "$(dirname "$0")/../func/lib.sh"
require python3

make_index() # PYTHON: add(name, type, size, link) for each entry
{
    python3 - "$1" <<'END'
import sys, tarfile

tar = tarfile.open("index.tar", "w", format=tarfile.PAX_FORMAT)

def add(name, kind=tarfile.REGTYPE, size=0, link=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    if size == 0:
        tar.addfile(entry)
        return
    # One hole of that size, as GNU tar says it (version 1.0).
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                         "GNU.sparse.name": name,
                         "GNU.sparse.realsize": str(size)}
    entry.size = 512
    import io
    tar.addfile(entry, io.BytesIO(b"1\n0\n0\n".ljust(512, b"\0")))

D, L, H = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
exec(sys.argv[1])
tar.close()
END
}

prepare() # [PYTHON]
{
    rm -rf copy
    mkdir copy
    [ -z "${1:-}" ] || make_index "$1"
    start_target copy --once --retry-for off
}

commit() # SIN REGEX
{
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" "$CERTS/source.crt" \
        "$CERTS/source.key" "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the attack was not made: $(cat evil.log)"
    assert_log evil "heard error [0-9]+: .*$2"
}

attack() # SIN REGEX [PYTHON]: the target ends
{
    prepare "${@:3}"
    commit "$1" "$2"
    wait_target
    [ "$TARGET_STATUS" != 0 ] || fail "the target has succeeded"
    assert_log target "$2"
    [ -z "$(ls -A copy)" ] || fail "something is left: $(ls -A copy)"
    assert_equal "$(cat outside/file)" ours "a file outside"
    [ "$(ls outside)" = file ] || fail "written outside: $(ls outside)"
}

mkdir outside
echo ours >outside/file

attack tree 'leads out of the volume' 'add("../outside/new", size=5)'
attack tree 'leads out of the volume' 'add("a", D); add("a/../../outside/new")'
attack tree 'names x twice' 'add("x", size=5); add("x", size=9)'
attack tree 'names d twice' 'add("d", D); add("d", size=9)'
attack tree 'No such file or directory' 'add("d/x", size=5)'
attack tree 'No such file or directory' \
    'add("d", L, link="../outside"); add("d/new", size=5)'
attack tree 'names the directory itself' 'add("./", D)'
attack tree 'which stays as it is' 'add(".clonewire-tree", D)'
attack tree 'which stays as it is' 'add("lost+found", size=7)'
attack tree 'names .clonewire-index twice' 'add(".clonewire-index", size=7)'
attack tree 'names .clonewire-copy, which is reserved' 'add(".clonewire-copy")'
attack tree 'too large|larger than|File too large' \
    'add("x", size=2**62); add("y", size=2**62)'
attack tree-disk 'the index is of a disk of' 'add("x", size=5)'
attack tree-damaged 'the index of the directory is damaged'
attack tree-gap 'bytes of the index at 1, not at 0'
attack tree-unasked 'sent TREE out of turn'

# A HELLO that cannot be meant: the target waits on.
for refusal in 'tree-long more than 67108864' 'tree-version version 1 of the'; do
    prepare
    commit "${refusal%% *}" "${refusal#* }"
    assert_turned_away "${refusal#* }"
done
