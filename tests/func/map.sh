#!/bin/bash
# --map prints the extents of a disk as JSON, the same as qemu-img, or draws a
# map that fits the terminal.
. "$(dirname "$0")/lib.sh"
require qemu-img python3 jq

truncate -s $((40 * MIB + 512)) image
put_noise image 0 $MIB
put_noise image $((17 * MIB)) $((2 * MIB))
put_noise image $((40 * MIB)) 512
qemu-img convert -O qcow2 image image.qcow2

for disk in image image.qcow2; do
    "$SOURCE" --map --json $disk >map.json
    jq -r '.[] | "\(.offset) \(.length) \(.type)"' map.json >extents
    at=0 data=0
    while read -r offset length type; do
        assert_equal "$offset" $at "where an extent of $disk begins"
        at=$((at + length))
        [ "$type" = zero ] || data=$((data + length))
        [ "$type" != zero ] ||
            cmp -s -n "$length" -i "$offset":0 image /dev/zero ||
            fail "$disk has data at $offset, $length bytes long"
    done <extents
    assert_equal $at "$(stat -c %s image)" "bytes of $disk in the map"
    [ $data -le $((3 * MIB + 128 * KIB)) ] || fail "$disk: $data bytes of data"
done
assert_equal "$("$SOURCE" --map image | grep -c '^ .*|[.:+#]*|$')" 8 "rows"
: >empty
assert_equal "$("$SOURCE" --map --json empty)" '[]' "an empty disk"
"$SOURCE" --map empty >/dev/null

# As wide as the terminal, at three widths.
for width in 40 80 200; do
    python3 - "$SOURCE" image $width >drawn <<'END'
import fcntl, os, pty, struct, sys, termios
program, image, width = sys.argv[1], sys.argv[2], int(sys.argv[3])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    os.execv(program, [program, "--map", image])
text = b""
try:
    while True:
        text += os.read(fd, 4096)
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.write(text.decode().replace("\r", ""))
END
    assert_equal "$(awk '/\|/ && length > n { n = length } END { print n }' drawn)" \
        $width "columns of the drawing"
done

SOURCE_STATUS=0
"$SOURCE" --map nothing 2>source.log || SOURCE_STATUS=$?
assert_status source 2
