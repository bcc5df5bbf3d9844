#!/bin/bash
# SIGKILL of the target, the source, or both, at random points of a clone of a
# 1 GiB disk: started again, they end with an equal disk, and send nothing
# twice that was in the last checkpoint (or, if the target lives on, held).
#
#   CW_KILLS      number of kills (21; 3 in sanitizer builds)
#   CW_KILL_DATA  MiB of data on the disk, of 1024 (128)
#   CW_SEED       seed of the moments, by bytes written
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

CHUNKS=1024
SIZE=$((CHUNKS * MIB))
DATA=$((${CW_KILL_DATA:-128} * MIB))
RATE=$((DATA > 128 * MIB ? 384 : 96)) # MiB a second, up to the kill
RANDOM=${CW_SEED:=$((RANDOM + 32768 * RANDOM))}
echo "seed $CW_SEED"
if [ -z "${CW_KILLS:-}" ]; then
    CW_KILLS=21
    ! grep -qE '__(asan|tsan)_init' "$SOURCE" || CW_KILLS=3
fi

TARGET_WITH+=(--checkpoint-every 100ms --progress 3)
SOURCE_WITH+=(--job-id the-job --progress 4)

# Runs of 4 MiB, spread evenly.
make_disk() # FILE
{
    local runs=$((DATA / MIB / 4)) i

    truncate -s $SIZE "$1"
    for ((i = 0; i < runs; i++)); do
        put_noise "$1" $((i * CHUNKS / runs / 4 * 4 * MIB)) $((4 * MIB)) \
            $((i + 1))
    done
}

counted() # SIDE: data bytes, as it told last
{
    grep -oE '"data_bytes":[0-9]+' "$1.progress" | tail -n 1 | cut -d : -f 2 ||
        echo 0
}

recorded() # bytes of data in the checkpoint
{
    [ -e .copy.clonewire-state ] || { echo 0; return; }
    python3 - <<'END'
with open(".copy.clonewire-state", "rb") as file:
    record = file.read()
held, zero = record[900:1924], record[1924:2948]
print(sum(bin(h & ~z & 255).count("1") for h, z in zip(held, zero)) << 20)
END
}

kill_them() # SIDE...
{
    local side

    for side; do
        if [ "$side" = target ]; then kill -9 "$TARGET_PID" || true; fi
        if [ "$side" = source ]; then kill -9 "$SOURCE_PID" || true; fi
    done 2>/dev/null
    for side; do
        if [ "$side" = target ]; then stop_process "$TARGET_PID"; fi
        if [ "$side" = source ]; then stop_process "$SOURCE_PID"; fi
    done
}

launch() # SIDE [OPTION...]
{
    if [ "$1" = target ]; then
        start_target copy "${@:2}" 3>target.progress
    else
        start_source image "${@:2}" 4>source.progress
    fi
}

# The second life.  $kept: bytes of data that need not come again.
go_on() # SIDE...
{
    local side again

    for side; do launch "$side"; done
    both_succeed
    again=$(count_of source data_bytes)
    case "$*" in
    source)
        [ "$(count_of target data_bytes)" -ge $DATA ] ||
            fail "the target has counted $(count_of target data_bytes)" ;;
    "target source")
        assert_equal "$(count_of target data_bytes)" "$again" \
            "bytes that the target has counted" ;;
    target) # the source's count is of both its sessions
        again=$(count_of target data_bytes) ;;
    esac
    echo "killed $* $moment: $((before / MIB)) MiB had come," \
        "$((kept / MIB)) were kept, $((again / MIB)) sent again"
    [ "$again" -le $((DATA - kept + DATA / 100)) ] ||
        fail "$again bytes were sent again of $((DATA - kept)) that were missing"
    total=$((total + kept))
    came=$((came + before))
}

wait_written() # BYTES: the target's disk has so many; or the clone is over
{
    local partial=.copy.clonewire-partial

    while [ ! -e copy ] && is_running "$SOURCE_PID" &&
        [ "$(allocated_bytes $partial 2>/dev/null || echo 0)" -lt "$1" ]; do
        sleep 0.005
    done
}

# One in four before or while the two find each other.
wait_moment()
{
    local mebibytes

    if [ $((RANDOM % 4)) = 0 ]; then
        sleep "0.$(printf %03d $((RANDOM % 200)))"
        moment="at once"
    else
        mebibytes=$((RANDOM % (DATA / MIB)))
        wait_written $((mebibytes * MIB))
        moment="at $mebibytes MiB"
    fi
}

# Where the copy is complete: the side that lives waits for the other one, or
# has ended, as it knew all before.
settle() # SIDE that was killed...
{
    [ -e copy ] || return 0
    case "$*" in
    target) wait_log source 'again' || true ;;
    source) wait_log target 'come back' || true ;;
    esac
}

survive() # SIDE...: killed, and started again
{
    local moment before kept

    rm -f copy .copy.*
    launch target
    launch source --rate ${RATE}MiB
    wait_moment
    before=$(counted target)
    kill_them "$@"
    settle "$@"
    kept=$before
    if [ "$1" = target ]; then kept=$(recorded); fi
    if [ -e copy ] && ! [ -e .copy.clonewire-state ]; then
        echo "killed $* $moment: it was over"
    elif [ "$*" = target ] && ! is_running "$SOURCE_PID"; then
        wait_source
        assert_status source 0
        echo "killed $* $moment: the source knew already"
    else
        go_on "$@"
        [ -z "$(find . -name '.copy.*')" ] || fail "something is left"
    fi
    if is_running "$TARGET_PID"; then wait_target; fi
    if is_running "$SOURCE_PID"; then wait_source; fi
    assert_equal "$("$TARGET" --digest copy)" "$digest" "digest of the copy"
}

make_disk image
digest=$("$SOURCE" --digest image)
total=0 came=0
for ((kills = 0; kills < CW_KILLS; kills += 3)); do
    survive target
    survive source
    survive target source
done
assert_same image copy $SIZE
# Checkpoints are worth it: what came before the kills was mostly kept.
echo "in all $((came / MIB)) MiB had come, $((total / MIB)) were kept"
[ "$CW_KILLS" -lt 9 ] || [ $((total * 3)) -ge $came ] || fail "too little kept"
