#!/bin/bash
# kill -9 of the target, the source, or both, at random moments: the next run
# goes on where the last checkpoint was, and ends with an equal disk.
#
#   CW_KILLS   how many kills (6)      CW_SEED   of the moments
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"
require python3

SIZE=$((192 * MIB))
RATE=$((48 * MIB)) # bytes a second
# Between what has passed the network and the checkpoint: half a second, the
# save itself, and the buffers of both sides and of the sockets between.
WINDOW=$((RATE * 3 / 2 + 24 * MIB))
RANDOM=${CW_SEED:=$((RANDOM + 32768 * RANDOM))}
echo "seed $CW_SEED"

TARGET_WITH+=(--checkpoint-every 500ms)
SOURCE_WITH+=(--job-id the-job)

passed() # bytes that have gone to the target
{
    cat flaky.count 2>/dev/null || echo 0
}

held() # chunks that the target told the source last
{
    grep -oE 'the target holds [0-9]+' source.log | tail -n 1 |
        grep -oE '[0-9]+' || echo 0
}

kill_one() # SIDE
{
    local pid

    if [ "$1" = target ]; then pid=$TARGET_PID; else pid=$SOURCE_PID; fi
    stop_process "$pid" || true
}

survive() # SIDE...: killed, and started again
{
    local before milliseconds=$((1200 + RANDOM % 1800)) side

    start_target copy
    LISTEN=$TARGET_ADDRESS
    start_flaky cut 1 0 $RATE
    start_source image
    sleep "$((milliseconds / 1000)).$(printf %03d $((milliseconds % 1000)))"
    for side; do kill_one "$side"; done
    before=$(passed)
    for side; do
        if [ "$side" = target ]; then start_target copy; fi
        if [ "$side" = source ]; then start_source image; fi
    done
    wait_source
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same image copy $SIZE
    echo "killed $* after $milliseconds ms: $((before / MIB)) MiB had passed," \
        "$(held) chunks were kept"
    [ $(($(held) * MIB)) -ge $((before - WINDOW)) ] || fail "too little kept"
    [ -z "$(find . -name '.copy.*')" ] || fail "something is left beside copy"
    kill "$FLAKY_PID"
    rm -f copy flaky.count
    LISTEN=127.0.0.1:0
}

make_dense image $SIZE
for ((kills = 0; kills < ${CW_KILLS:-6}; kills += 3)); do
    survive target
    survive source
    survive target source
done
