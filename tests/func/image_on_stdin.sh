#!/bin/bash
# A disk on standard input: a pipe is read in order, and a file like any other
# image.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img gzip xz

size=$((20 * MIB + 512))
make_sparse disk.raw $size
gzip -1 -c disk.raw >disk.gz
xz -0 -c disk.raw >disk.xz
{ # three streams, of which one has many blocks, and padding
    head -c 5000000 disk.raw | xz -0 --check=sha256
    dd if=disk.raw iflag=skip_bytes,count_bytes skip=5000000 count=7000000 \
        bs=64K status=none | xz -9
    tail -c +12000001 disk.raw | xz -0 --block-size=1MiB
    head -c 4096 /dev/zero
} >streams.xz
qemu-img convert -O qcow2 disk.raw disk.qcow2

# shellcheck disable=SC2016
printf '#!/bin/bash\nfile=$1; shift; cat "$file" | "$@"\n' >piped
# shellcheck disable=SC2016
printf '#!/bin/bash\nfile=$1; shift; exec "$@" <"$file"\n' >redirected
chmod +x piped redirected

arrives() # HOW FILE [OPTION...]
{
    SOURCE_UNDER=("./$1" "$2") SOURCE_WITH=("${@:3}")
    clone - copy.raw
    assert_same disk.raw copy.raw $size
    assert_allocation disk.raw copy.raw
    rm copy.raw
}

breaks() # STATUS WORDS HOW FILE [OPTION...]: on the short way
{
    SOURCE_STATUS=0
    timeout "$LONGEST" "./$3" "$4" "$SOURCE" - --to copy.raw "${@:5}" \
        >source.out 2>source.log || SOURCE_STATUS=$?
    assert_status source "$1"
    assert_log source "$2"
    [ ! -e copy.raw ] || fail "$4 arrived"
}

breaks_both() # STATUS WORDS HOW FILE [OPTION...]: by network, told there too
{
    SOURCE_UNDER=("./$3" "$4") SOURCE_WITH=("${@:5}")
    start_target copy.raw
    run_source -
    assert_status source "$1"
    assert_log source "$2"
    wait_log target "$2" || fail "the target was not told: $2"
    [ ! -e copy.raw ] || fail "$4 arrived"
    stop_process "$TARGET_PID" || true
    rm -rf .copy.raw.clonewire-*
}

arrives piped disk.raw --size=$size --lanes=2
arrives piped disk.gz --size=$size
arrives piped disk.xz --size=$size --lanes=2
arrives piped streams.xz --size=$size
arrives redirected disk.raw
arrives redirected disk.gz
arrives redirected disk.xz
arrives redirected disk.qcow2

# A file that was read up to some offset, as dd leaves it, is read on from there.
{
    dd bs=1M count=4 of=/dev/null status=none
    "$SOURCE" - --to copy.raw -q
} <disk.raw
cmp <(tail -c +$((4 * MIB + 1)) disk.raw) copy.raw
rm copy.raw
# One that only its opener may read is read through his descriptor.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    cp disk.raw private.raw
    chmod 600 private.raw
    chmod 755 .
    mkdir -m 777 open
    setpriv --reuid=65534 --clear-groups "$SOURCE" - --to open/copy -q \
        <private.raw
    cmp disk.raw open/copy
fi

breaks 2 'give the size' piped disk.raw
breaks 2 'give the size' piped disk.gz
breaks 13 'fewer than' piped disk.raw --size=$((size + 1))
breaks 13 'more than' piped disk.raw --size=$((size - 1))
breaks 13 'more than' piped disk.gz --size=$((size - 1))
breaks 2 'give the size' piped disk.xz
breaks 13 'more than' piped disk.xz --size=$((size - 1))
breaks 13 'fewer than' piped disk.xz --size=$((size + 1))
arrives piped disk.qcow2
arrives piped disk.qcow2 --size=$size --format=qcow2
breaks 2 'leave the size out' piped disk.qcow2 --size=$((size + 512))
breaks 13 'wrong magic' piped disk.raw --size=$size --format=qcow2
# These have their map where one pass comes too late for it.
for other in vmdk vpc vhdx vdi; do
    qemu-img convert -O $other disk.raw other.$other
    case $other in vpc) name=VHD ;; *) name=${other^^} ;; esac
    breaks 13 "the map of a $name is not known" piped other.$other
    gzip -1 -c other.$other >other.gz
    breaks 13 "the map of a $name is not known" piped other.gz --size=$size
done
qemu-img convert -O qcow disk.raw other.qcow
breaks 13 'QCOW version 1' piped other.qcow
gzip -1 -c other.qcow >other.gz
breaks 13 'QCOW version 1 inside' piped other.gz --size=$size
qemu-img convert -O vpc -o subformat=fixed,force_size=on disk.raw other.vpc
gzip -1 -c other.vpc >other.gz
fixed=$(stat -c %s other.vpc)
breaks 13 'ends like VHD' piped other.vpc --size="$fixed"
breaks 13 'ends like VHD' piped other.gz --size="$fixed"
breaks 13 'ends like VHD.*--format=vhd' redirected other.gz
breaks 13 'wrong magic' piped other.gz --format=qcow2
head -c 100000 disk.gz >short.gz
breaks_both 13 'cut off' piped short.gz --size=$size

# What an xz stream promises is believed only when all of it has been seen.
cp disk.xz longer.xz && echo 12 bytes or more of garbage >>longer.xz
breaks_both 13 'trailing garbage' piped longer.xz --size=$size
for missing in 1 40 300000; do
    head -c -$missing disk.xz >short.xz
    breaks 13 'cut off' piped short.xz --size=$size
done
flip() # BYTES from the end: one byte of flipped.xz becomes another
{
    local at byte

    cp disk.xz flipped.xz
    at=$(($(stat -c %s disk.xz) - $1))
    byte=$(od -An -tu1 -j $at -N 1 disk.xz)
    printf %b "\\x$(printf %02x $((byte ^ 16)))" |
        dd of=flipped.xz bs=1 seek=$at conv=notrunc status=none
    ! cmp -s disk.xz flipped.xz || fail "nothing was flipped"
}
flip 25
breaks_both 13 'xz: ' piped flipped.xz --size=$size
for from_end in 3 15 45 2000000; do
    flip $from_end
    breaks 13 'xz: ' piped flipped.xz --size=$size
done
xz -0 -c disk.qcow2 >qcow2.xz
arrives piped qcow2.xz
xz --lzma2=preset=0,dict=256MiB -c disk.raw >large.xz
breaks 13 'MiB to decode, more than the 96 MiB' piped large.xz --size=$size
