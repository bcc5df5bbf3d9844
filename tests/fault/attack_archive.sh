#!/bin/bash
# Archives made to harm: none ends the server, writes outside of the volume,
# takes memory without bounds, or brings rights of others. The next client is
# served.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
require python3

mkdir data out
echo victim >out/victim
archive() # PYTHON: adds members by add(name, type, link, bytes, **pax)
{
    python3 - "$1" <<'PY'
import gzip, io, sys, tarfile as t
f = gzip.open("evil.tar.gz", "wb", 9)
def add(name, kind=t.REGTYPE, link="", data=b"", mode=0o644, times=1, pax={},
        form=t.GNU_FORMAT):
    i = t.TarInfo(name)
    i.type, i.linkname, i.size, i.mode, i.pax_headers = \
        kind, link, len(data), mode, pax
    header = i.tobuf(t.PAX_FORMAT if pax else form)
    for n in range(times):
        f.write(header + data + bytes(-len(data) % 512))
exec(sys.argv[1])
f.write(bytes(10240))
f.close()
PY
}

attack() # STATUS TEXT PYTHON
{
    archive "$3"
    upload evil.tar.gz "$UPLOAD-archive"
    assert_answer "$1" "$2"
    is_running "$TARGET_PID" || fail "the server has ended: $3"
    assert_equal "$(find data -mindepth 1 ! -name '.disk.img.*')" "" \
        "files after: $3"
    assert_equal "$(cat out/*)" victim "what is outside"
}

start_server "$PWD/data/disk.img"
attack 500 "leads out of the volume" 'add("../out/x", data=b"x")'
attack 500 "leads out of the volume" 'add("a/../../out/x", data=b"x")'
attack 500 "not in the stream" 'add("a", t.LNKTYPE, "/etc/passwd")'
attack 500 "not in the stream" \
    'add("l", t.SYMTYPE, "../out"); add("a", t.LNKTYPE, "l/victim")'
attack 500 "File name too long" 'add("a" * 300, data=b"x")'
attack 500 "Not a directory" 'add("a", data=b"x"); add("a/b", data=b"x")'
attack 500 "Too many levels" \
    'add("a", t.SYMTYPE, "b"); add("b", t.SYMTYPE, "a"); add("a/x", data=b"x")'
attack 500 "stays as it is" 'add(".clonewire-tree/x", data=b"x")'

# A packed stream of some KiB that names directories of a gigabyte.
attack 500 "too many directories" \
    'add("/".join(["d" * 250] * 12), t.DIRTYPE, times=30000)'
[ "$(stat -c %s evil.tar.gz)" -lt $MIB ] || fail "the bomb is large"
# Holes without number, and a header without end.
attack 500 "larger than 8 MiB" 'n = 10000000; m = b"%d\n" % n + b"0\n0\n" * n
add("holes", data=m + bytes(-len(m) % 512), pax={"GNU.sparse.major": "1",
    "GNU.sparse.minor": "0", "GNU.sparse.name": "holes",
    "GNU.sparse.realsize": "1"})'
attack 500 "too large" 'add("long", pax={"comment": "x" * (100 << 20)})'
peak=$(awk '/VmHWM/ { print $2 * 1024 }' "/proc/$TARGET_PID/status")
echo "peak: $((peak / MIB)) MiB"
grep -qE '__(asan|tsan)_init' "$UPLOADSERVER" ||
    [ "$peak" -lt $((160 * MIB)) ] ||
    fail "$((peak / MIB)) MiB of memory"

# The next client, whose devices and setuid bits stay behind.
archive 'add("su", data=b"x", mode=0o6755); add("null", t.CHRTYPE)
add("a", t.SYMTYPE, "/usr/bin"); add("a/tool", data=b"y"); add("/etc/f")'
upload evil.tar.gz "$UPLOAD-archive"
assert_answer 200
wait_success "Upload Complete"
assert_log target 'null is a device: left out'
assert_log target 'su: setuid and setgid bits are left out'
assert_equal "$(stat -c %a data/su)" 755 mode
assert_equal "$(cat data/usr/bin/tool)" y "the file through the link"
[ -e data/etc/f ] && [ ! -e data/null ] || fail "$(ls -R data)"
