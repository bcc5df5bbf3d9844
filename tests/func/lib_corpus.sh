# shellcheck shell=bash
# lib_corpus.sh - QCOW2 images of every kind, made by qemu here and now with
# random content: the rows of the feature table.
#
#   each_kind COMMAND    runs COMMAND NAME for each: NAME.qcow2 is the image,
#                        NAME.raw the disk that qemu reads; both are removed
#                        when it returns; KIND describes it

CORPUS_BYTES=$((12 * MIB + 1536))

# Options of qemu-img create; "packed": compressed clusters, too.
CORPUS_KINDS=(
    "compat=0.10"
    "compat=0.10 packed"
    "compat=0.10,cluster_size=512"
    "cluster_size=512"
    "cluster_size=512 packed"
    "cluster_size=1k packed"
    "cluster_size=4k packed"
    "cluster_size=64k"
    "cluster_size=64k packed"
    "cluster_size=256k packed"
    "cluster_size=2M packed"
    "refcount_bits=1"
    "refcount_bits=64 packed"
    "lazy_refcounts=on packed"
    "compression_type=zstd packed"
    "compression_type=zstd,cluster_size=2M packed"
    "extended_l2=on"
    "extended_l2=on,cluster_size=16k packed"
    "extended_l2=on,cluster_size=2M packed"
    "extended_l2=on,compression_type=zstd packed"
    "preallocation=metadata"
    "preallocation=falloc"
    "preallocation=full"
)

# The same images each time; CW_SEED makes others.
RANDOM=${CW_SEED:=1}
echo "seed $CW_SEED"

# PICKED: below $1.  Not in a subshell: that would not draw from our RANDOM.
pick()
{
    PICKED=$(((RANDOM << 15 | RANDOM) % $1))
}

# One qemu-io command of any kind, size and place: WRITE
pick_write()
{
    local align=512 most=40 offset length

    pick 6
    [ $PICKED != 0 ] || align=65536
    pick 8
    [ $PICKED != 0 ] || most=512
    pick $((CORPUS_BYTES / align))
    offset=$((PICKED * align))
    pick $most
    length=$(((1 + PICKED) * align))
    [ $length -le $((CORPUS_BYTES - offset)) ] ||
        length=$((CORPUS_BYTES - offset))
    pick 5
    case $PICKED in
    0) WRITE="write -z $offset $length" ;;
    1) WRITE="write -z -u $offset $length" ;;
    2) WRITE="discard $offset $length" ;;
    *)
        pick 255
        WRITE="write -P $((1 + PICKED)) $offset $length"
        ;;
    esac
}

write_randomly() # IMAGE [packed]
{
    local commands=() at status=0

    if [ "${2:-}" = packed ]; then
        # Each place once: an allocated cluster takes no compressed write.
        for at in 0 2 6 10; do
            pick 255
            commands+=(-c "write -c -P $((1 + PICKED)) ${at}M 2M")
        done
    fi
    for at in {1..40}; do
        pick_write
        commands+=(-c "$WRITE")
    done
    qemu-io -d unmap -f qcow2 "${commands[@]}" "$1" >qemu-io.out || status=$?
    [ $status = 0 ] || fail "qemu-io of $1: $(grep -v ops qemu-io.out)"
}

to_raw() # NAME
{
    rm -f "$1.raw"
    qemu-img convert -f qcow2 -O raw "$1.qcow2" "$1.raw"
}

special_kinds() # COMMAND: kinds made by a history of commands
{
    local name=special

    KIND="a snapshot, not the disk, then gone back to"
    echo "$KIND"
    qemu-img create -q -f qcow2 $name.qcow2 $CORPUS_BYTES
    write_randomly $name.qcow2 packed
    qemu-img snapshot -c before $name.qcow2
    write_randomly $name.qcow2
    to_raw $name && "$1" $name
    qemu-img snapshot -a before $name.qcow2
    to_raw $name && "$1" $name

    KIND="grown, then shrunk to an odd size"
    echo "$KIND"
    qemu-img create -q -f qcow2 -o cluster_size=4k $name.qcow2 $CORPUS_BYTES
    write_randomly $name.qcow2 packed
    qemu-img resize -q $name.qcow2 20M
    to_raw $name && "$1" $name
    qemu-img resize -q --shrink $name.qcow2 5120000
    to_raw $name && "$1" $name

    KIND="garbage after it, as on a device"
    echo "$KIND"
    qemu-img create -q -f qcow2 $name.qcow2 $CORPUS_BYTES
    write_randomly $name.qcow2
    noise 12345 >>$name.qcow2
    to_raw $name && "$1" $name

    KIND="not closed cleanly: the dirty bit"
    echo "$KIND"
    to_raw $name
    printf '\1' | dd of=$name.qcow2 bs=1 seek=79 conv=notrunc status=none
    "$1" $name
    rm $name.*
}

each_kind() # COMMAND
{
    local options packed

    for KIND in "${CORPUS_KINDS[@]}"; do
        echo "$KIND"
        read -r options packed <<<"$KIND"
        qemu-img create -q -f qcow2 -o "$options" kind.qcow2 $CORPUS_BYTES
        write_randomly kind.qcow2 "$packed"
        to_raw kind
        "$1" kind
        rm kind.*
    done
    special_kinds "$1"
}
