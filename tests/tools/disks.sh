# shellcheck shell=bash
# disks.sh - images with known content, loop devices, mounts, and disks that
# fail where a test says.  They are removed when the test ends.

disk_bytes() # FILE or DEVICE
{
    if [ -b "$1" ]; then
        blockdev --getsize64 "$1"
    else
        stat -Lc %s -- "$1"
    fi
}

allocated_bytes() # FILE
{
    local blocks

    blocks=$(stat -Lc %b -- "$1")
    echo $((blocks * 512))
}

# Does this kernel have RWF_DONTCACHE (6.14)?
has_dontcache()
{
    printf '%s\n' 6.14 "$(uname -r)" | sort -V -C
}

# ---- content ----

# Bytes that do not repeat and never are a block of zeros, quickly: AES of
# nothing, with the seed as the key.
noise() # BYTES [SEED]
{
    [ "$1" -gt 0 ] || return 0
    openssl enc -aes-128-ctr -K "$(printf '%032x' "${2:-1}")" \
        -iv 00000000000000000000000000000000 -nosalt -in /dev/zero \
        2>/dev/null | head -c "$1" || [ "${PIPESTATUS[1]}" = 0 ]
}

make_dense() # FILE BYTES [SEED]
{
    noise "$2" "${3:-1}" >"$1"
}

make_empty() # FILE BYTES
{
    rm -f "$1"
    truncate -s "$2" "$1"
}

put_noise() # FILE OFFSET BYTES [SEED]
{
    noise "$3" "${4:-1}" | dd of="$1" bs=64K oflag=seek_bytes seek="$2" \
        iflag=fullblock conv=notrunc status=none
}

# Data in every third MiB or so, written zeros, and both ends used.
make_sparse() # FILE BYTES
{
    local offset

    make_empty "$1" "$2"
    for ((offset = 0; offset + 700 * KIB < $2; offset += 3 * MIB)); do
        put_noise "$1" "$offset" $((300 * KIB)) $((offset + 1))
    done
    dd if=/dev/zero of="$1" bs=64K count=4 oflag=seek_bytes \
        seek=$((MIB + 128 * KIB)) conv=notrunc status=none
    put_noise "$1" $(($2 - 4096)) 4096 7
}

make_dirty() # FILE or DEVICE, BYTES: full of 0xA5
{
    head -c "$2" /dev/zero | tr '\0' '\245' |
        dd of="$1" bs=1M iflag=fullblock conv=notrunc,fsync status=none
}

# ---- loop devices and mounts ----

ATTACHED=

require_loop()
{
    require_root "loop devices"
    require losetup
    [ -e /dev/loop-control ] || skip "no loop devices here"
}

attach() # FILE [LOSETUP OPTION...]: LOOP, the device
{
    local file=$1 tries

    shift
    # "losetup -f" can lose its race for a free device.
    for tries in {1..25}; do
        ! LOOP=$(losetup -f --show "$@" -- "$file" 2>losetup.err) || break
        [ "$tries" != 25 ] || skip "losetup: $(cat losetup.err)"
        sleep 0.2
    done
    ATTACHED="$ATTACHED $LOOP "
    at_exit detach "$LOOP"
}

# DEVICE, once only: another test may get its number afterwards.  Waits until it
# is free.
detach()
{
    local i

    case $ATTACHED in
    *" $1 "*) ATTACHED=${ATTACHED/" $1 "/} ;;
    *) return 0 ;;
    esac
    losetup -d "$1" 2>/dev/null
    for ((i = 0; i < 50; i++)); do
        losetup "$1" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
}

attach_new() # FILE BYTES [LOSETUP OPTION...]: reads as zero
{
    make_empty "$1" "$2"
    attach "$1" "${@:3}"
}

attach_dirty() # FILE BYTES [LOSETUP OPTION...]: full of 0xA5
{
    make_empty "$1" "$2"
    make_dirty "$1" "$2"
    attach "$1" "${@:3}"
}

mount_at() # DIR DEVICE [MOUNT OPTION...]
{
    mkdir -p "$1"
    mount "${@:3}" "$2" "$1" 2>mount.err || skip "mount: $(cat mount.err)"
    at_exit unmount "$1"
}

unmount() # DIR: if it is still mounted
{
    umount "$1" 2>/dev/null
}

# ---- disks that fail ----

# A file with a fault, on FUSE: exact errnos for reads, writes, fsync.
#
#   eio-read A B    reads that touch bytes A..B-1 fail with EIO
#   eio-write A B   writes that do
#   enospc N        writes that go beyond byte N fail with ENOSPC
#   flip A B        writes that touch bytes A..B-1 store a wrong byte at A
#   flip-once A B   the first of them does
#   flush-eio       fsync fails with EIO
#   slow RATE       RATE bits a second, as nbdkit counts ("80M"), until
#                   faulty_rate changes it
#   no-zero         no requests to trim or zero are taken
#   slow-zero TIME  each request to trim or zero takes that long
#
# FAULTY_DISK is the file, over BACKING; attach it for a device.
faulty_up() # BACKING FAULT [ARGUMENT...]
{
    require_root "disks that fail (FUSE)"
    require nbdkit nbdfuse
    [ -e /dev/fuse ] || skip "no FUSE here"

    local dir fuse
    # A short name, since that of a socket must fit 108 bytes.
    dir=$(mktemp -d "${TMPDIR:-/tmp}/clonewire-faulty.XXXX")
    at_exit rm -rf "$dir"
    mkdir "$dir/mount"
    faulty_serve "$dir" "$(realpath "$1")" "${@:2}"
    nbdfuse "$dir/mount/disk" --unix "$dir/socket" \
        >"$dir/fuse.err" 2>&1 </dev/null &
    fuse=$!
    at_exit faulty_unmount "$dir/mount" $fuse "$KIT_PID"
    wait_exists "$dir/mount/disk" $fuse || skip "nbdfuse: $(cat "$dir/fuse.err")"
    FAULTY_DISK=$dir/mount/disk FAULTY_RATE=$dir/rate
}

# Sets the rate of a slow disk; "fast": no limit.
faulty_rate() # RATE
{
    echo "${1/fast/1T}" >"$FAULTY_RATE.new"
    mv "$FAULTY_RATE.new" "$FAULTY_RATE"
}

# nbdkit first: does not wait for the requests of a slow disk.
faulty_unmount() # DIR FUSE-PID NBDKIT-PID
{
    stop_process "$3"
    umount "$1" 2>/dev/null || umount -l "$1"
    kill "$2" 2>/dev/null
    wait "$2" 2>/dev/null
}

faulty_serve() # DIR BACKING FAULT [ARGUMENT...]
{
    local dir=$1 backing=$2 fault=$3 touches over

    shift 3
    # In an eval script $3 is the request's count and $4 its offset.
    touches="[ \$4 -lt ${2:-0} ] && [ \$((\$4 + \$3)) -gt ${1:-0} ]"
    over="[ \$((\$4 + \$3)) -gt ${1:-0} ]"
    case $fault in
    eio-read) faulty_eval "$(faulty_if "$touches" EIO)" : : ;;
    eio-write) faulty_eval : "$(faulty_if "$touches" EIO)" : ;;
    enospc) faulty_eval : "$(faulty_if "$over" ENOSPC)" : ;;
    flip) faulty_eval : "$(faulty_flip "$touches" "$1" always)" : ;;
    flip-once) faulty_eval : "$(faulty_flip "$touches" "$1")" : ;;
    flush-eio) faulty_eval : : "$(faulty_if true EIO)" ;;
    slow) faulty_nbdkit --filter=rate file "$backing" rate="$1" \
        rate-file="$dir/rate" burstiness=0.2 ;;
    slow-zero) faulty_nbdkit --filter=delay file "$backing" \
        delay-trim="$1" delay-zero="$1" ;;
    no-zero) faulty_nbdkit --filter=nozero eval \
        get_size="stat -Lc %s '$backing'" \
        pread="dd if='$backing' iflag=skip_bytes,count_bytes skip=\$4 count=\$3 status=none" \
        pwrite="dd of='$backing' oflag=seek_bytes conv=notrunc seek=\$4 status=none" ;;
    *) fail "no such fault: $fault" ;;
    esac
    wait_exists "$dir/socket" $KIT_PID || skip "nbdkit: $(cat "$dir/kit.err")"
}

faulty_if() # CONDITION ERRNO: shell for nbdkit; it must read what was sent
{
    echo "if $1; then echo $2 injected >&2; exit 1; fi"
}

faulty_flip() # CONDITION OFFSET [always]: changes a byte of the first such write
{
    echo "if $1 && [ ! -e '$dir/flipped${3:-}' ]; then touch '$dir/flipped';
        printf '\\245' | dd of='$dir/request' bs=1 seek=\$(($2 - \$4)) \
            conv=notrunc status=none; fi"
}

# Uses dir and backing of faulty_serve().
faulty_eval() # READ WRITE FLUSH: shell run before each
{
    faulty_nbdkit eval "thread_model=echo serialize_requests" \
        "get_size=echo $(disk_bytes "$backing")" \
        "can_write=exit 0" "can_flush=exit 0" \
        "pread=$1; dd if='$backing' bs=64K status=none \
            iflag=skip_bytes,count_bytes skip=\$4 count=\$3" \
        "pwrite=cat >'$dir/request'; $2; dd if='$dir/request' bs=64K \
            of='$backing' oflag=seek_bytes seek=\$4 conv=notrunc status=none" \
        "flush=$3; exit 0"
}

faulty_nbdkit() # ARGUMENT...
{
    nbdkit -f -U "$dir/socket" "$@" >"$dir/kit.err" 2>&1 </dev/null &
    KIT_PID=$!
    at_exit stop_process $KIT_PID
}

wait_exists() # PATH [PID]: false when it is not there, or PID ends before it is
{
    local deadline=$((SECONDS + LONGEST))

    until [ -e "$1" ]; do
        [ $SECONDS -le $deadline ] || return 1
        [ -z "${2:-}" ] || is_running "$2" || return 1
        sleep 0.02
    done
}
