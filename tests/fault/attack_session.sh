#!/bin/bash
# Another client with a certificate of the same CA, which knows the address and
# the job ID, can neither end a clone, nor join its lanes, nor replace its
# source.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

attack() # SIN REGEX
{
    "$TOOLS/evil_source" "$1" "$TARGET_ADDRESS" \
        "$CERTS/source-imposter.crt" "$CERTS/source-imposter.key" \
        "$CERTS/ca.crt" >evil.log 2>&1 ||
        fail "$1: the attack was not made: $(cat evil.log)"
    assert_log evil "$2"
}

impose() # REGEX [ADDRESS]: with the job's ID and the very disk
{
    local status=0

    read -ra identity < <(identity source-imposter)
    "$SOURCE" "${identity[@]}" --job-id the-job --retry-for=off image \
        "${2:-$TARGET_ADDRESS}" >imposter.out 2>imposter.log || status=$?
    [ $status != 0 ] || fail "the imposter was served"
    assert_log imposter "$1"
}

make_dense image $((32 * MIB))
TARGET_WITH+=(--checkpoint-every 100ms)
start_target copy
start_slow_source 2MiB image --job-id the-job
wait_checkpoint 2

# While the clone runs.
for ((i = 0; i < 8; i++)); do
    attack join-first 'heard error 21: .*wrong session secret'
done
impose 'busy: serving another source'
is_running "$SOURCE_PID" || fail "the clone has ended"

# While the target waits for its source to come back.
kill -9 "$SOURCE_PID"
wait_log target 'waiting for the source to come back' ||
    fail "the target does not wait"
impose 'busy: waiting for another source to come back'
attack join-first 'heard error 21: .*wrong session secret'
start_source image --job-id the-job
both_succeed
assert_same image copy $((32 * MIB))
[ "$(count_of source data_bytes)" -lt $((32 * MIB)) ] ||
    fail "the source began again"

# After the end: the target is killed before its source knows, and its record
# names the source.
require python3
rm copy
start_target copy
start_flaky deaf $((24 * MIB)) 1
start_source image --job-id the-job --dead-peer-timeout 6s
wait_exists copy || fail "no copy"
stop_process "$SOURCE_PID"
stop_process "$TARGET_PID"
start_target copy
impose "busy: the disk of another client's job is complete"
start_source image --job-id the-job
both_succeed
assert_same image copy $((32 * MIB))
