#!/bin/bash
# A delta that fails leaves the older copy of a file whole under its name: with
# a reflink (XFS), and with --delta=copy where there are none (ext4), which needs
# room for both.  In place (ext4 by default, or --delta=inplace) the log says
# that the older copy is lost; a device is marked until the delta ends well.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib_resume.sh"
require_loop
require mkfs.xfs mkfs.ext4

SIZE=$((16 * MIB))

volume() # NAME BYTES MKFS...: mounted at NAME
{
    make_empty "$1.volume" "$2"
    "${@:3}" "$1.volume" >mkfs.log 2>&1 || fail "$(cat mkfs.log)"
    mkdir "$1"
    mount_at "$1" "$1.volume" -o loop
}

older() # DEST: the image as it was before it changed in 6 chunks
{
    make_dense image $SIZE 1
    cp image "$1"
    chmod 640 "$1"
    for ((i = 0; i < 6; i++)); do
        put_noise image $((i * 2 * MIB + 4096)) $((256 * KIB)) $((i + 50))
    done
    sha256sum <"$1" >older.sum
}

fail_delta() # DEST KILL [OPTION...]: target or source is killed in the middle
{
    local content=$1

    start_target "$1" "${@:3}"
    start_slow_source $((512 * KIB)) image
    wait_log source 'the target reads what it has'
    [ -b "$content" ] || content="${1%/*}/.${1##*/}.clonewire-partial"
    while sha256sum <"$content" | cmp -s - older.sum; do
        is_running "$TARGET_PID" || fail "the target ended"
        sleep 0.05
    done
    if [ "$2" = target ]; then
        stop_process "$TARGET_PID"
        stop_process "$SOURCE_PID"
    else
        stop_process "$SOURCE_PID"
        stop_process "$TARGET_PID"
    fi
}

end_delta() # DEST [OPTION...]
{
    start_target "$@"
    run_source image
    wait_target
    both_succeed
    assert_same image "$1" $SIZE
    [ -b "$1" ] ||
        [ -z "$(find "$(dirname "$1")" -name ".${1##*/}.*")" ] ||
        fail "left: $(ls -a "$(dirname "$1")")"
    [ "$(count_of source data_bytes)" -le $((6 * MIB)) ] || fail "all was sent"
}

assert_older() # DEST WHY
{
    sha256sum <"$1" | cmp -s - older.sum || fail "$2: the older copy is lost"
}

keeps() # DEST REGEX [OPTION...]: for both ways to fail
{
    local victim

    for victim in target source; do
        older "$1"
        fail_delta "$1" $victim "${@:3}"
        assert_log target "$2"
        assert_older "$1" "$* $victim"
        end_delta "$1" "${@:3}"
        assert_equal "$(stat -c %a "$1")" 640 mode
    done
}

volume xfs $((320 * MIB)) mkfs.xfs -q -m reflink=1
volume ext4 $((64 * MIB)) mkfs.ext4 -q -F -m 0
SOURCE_WITH+=(--job-id a)

keeps xfs/copy 'changing a reflink of' --delta
# The interrupted delta went on where it was.
refute_log target 'removing what an interrupted run left'
ln xfs/copy xfs/link
put_noise image 4096 4096 77
end_delta xfs/copy --delta
sha256sum <xfs/link | cmp -s - <(sha256sum <image) &&
    fail "the other hard link changed"
keeps ext4/copy 'copying .* first' --delta=copy

# Without room for both, before anything is written.
fallocate -l $(($(df -B1 --output=avail ext4 | tail -n 1) - SIZE / 2)) ext4/full
start_target ext4/copy --delta=copy
run_source image
wait_target
assert_status source 10
assert_status target 10
assert_log target 'beside the old file.*--delta=inplace'
assert_same image ext4/copy $SIZE
rm ext4/full

for options in --delta --delta=inplace; do
    older ext4/copy
    fail_delta ext4/copy target $options
    assert_log target 'changed in place.* the older copy is lost'
    [ ! -e ext4/copy ] || fail "a mixture has the final name"
    end_delta ext4/copy $options
done
CLONEWIRE_DELTA=sometimes "$TARGET" x 2>target.log &&
    fail "a delta of no kind"
assert_log target 'sometimes.* is not one of yes, no, inplace, copy'

# A device: the mark stays until the next delta has ended well.
older disk
attach disk
mkdir state
fail_delta "$LOOP" target --delta --yes --state-dir state
assert_log target 'without a way back'
[ -n "$(find state -name '*.dirty')" ] || fail "no mark: $(ls -a state)"
end_delta "$LOOP" --delta --yes --state-dir state
assert_log target 'holds a mixture of two states'
[ -z "$(find state -name '*.dirty')" ] || fail "the mark is still there"
