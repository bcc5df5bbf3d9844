#!/bin/bash
# Go's archive/tar, which CDI uses, reads what cdi-cloner sends and writes what
# cdi-uploadserver receives: long names, names that are not UTF-8, links,
# attributes, holes and sizes beyond 8 GiB.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require go

# The library is built once for all runs.
env GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local CGO_ENABLED=0 \
    GOCACHE="$CW_BUILD/tests/go-cache" \
    go build -o gotar "$TESTS/tools/gotar.go" 2>go.log ||
    skip "go cannot build here: $(tail -n 1 go.log)"

list() # DIR
{
    (cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %T@\n' \) -o \
        \( -type l -printf '%P %y %l\n' \) -o \
        -printf '%P %y %m %n %s %T@\n' | sort)
}

attribute() # get|set FILE NAME [VALUE]
{
    python3 -c 'import os, sys
get, path, name = sys.argv[1:4]
if get == "get":
    print(os.getxattr(path, name).decode())
else:
    os.setxattr(path, name, sys.argv[4].encode())' "$@" 2>attribute.log
}

# ---- ours, read by Go ----

long=$(printf '%0150d' 1)
mkdir -p "volume/sub/$long/$long"
make_sparse volume/disk.img $((4 * MIB + 5))
make_empty volume/hole $((16 * MIB))
make_empty volume/large $((9 * GIB + 1))
echo long >"volume/sub/$long/$long/$long"
echo bytes >volume/"$(printf 'byte \377')"
echo utf8 >volume/"ä and 語"
ln volume/disk.img volume/sub/hard
ln -s "$long/$long" volume/sub/soft
chmod 2750 volume/sub
chmod 0604 volume/hole
attribute set volume/disk.img user.colour "blue=green" || : >no-attributes
find volume -depth -exec touch -h -d @1600000000.123456789 {} +

start_http_server
run_cloner filesystem "$PWD/volume"
assert_complete
wait_process "$SERVER_PID" server
mkdir unpacked
./gotar unpack unpacked <body >said || fail "Go cannot read it"
diff -r --no-dereference -x large volume unpacked || fail "other content"
diff <(list volume) <(list unpacked) || fail "other files"
grep -qx "large large $((9 * GIB + 1))" said || fail "a large size: $(cat said)"
[ -e no-attributes ] ||
    grep -qx 'attribute disk.img SCHILY.xattr.user.colour="blue=green"' said ||
    fail "no attribute: $(cat said)"
[ volume/disk.img -ef volume/sub/hard ] &&
    [ unpacked/disk.img -ef unpacked/sub/hard ] || fail "a link is lost"

# ---- Go's, read by us ----

for format in pax gnu; do
    rm -rf data
    mkdir data
    start_server "$PWD/data/disk.img"
    ./gotar pack $format >archive
    upload - -H "x-cdi-content-type: filesystem-clone" \
        < <("$TESTS/tools/snapframe.py" <archive)
    assert_answer 200
    wait_success "Clone Complete"
    mkdir -p by-go/$format by-tar/$format
    ./gotar unpack by-go/$format <archive >/dev/null
    tar -xpC by-tar/$format <archive
    for other in by-go by-tar; do
        diff -r --no-dereference data $other/$format || fail "$format: $other"
        diff <(list data | grep -v " d ") \
            <(list $other/$format | grep -v " d ") || fail "$format: $other"
    done
    assert_equal "$(stat -c %a data/dir)" 750 mode
    [ data/plain -ef data/dir/hard ] || fail "a link is lost"
done
[ "$(cat data/"$(printf 'byte \377')")" = "no utf-8" ] || fail "an odd name"
start_server "$PWD/data/disk.img"
./gotar pack pax >archive
upload - -H "x-cdi-content-type: filesystem-clone" \
    < <("$TESTS/tools/snapframe.py" <archive)
wait_success "Clone Complete"
[ -e no-attributes ] || assert_equal "$(attribute get data/plain user.colour)" \
    blue "an attribute of Go's"
