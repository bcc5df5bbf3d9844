#!/bin/bash
# With --resume=trust the target does not read again what it holds of an
# unchanged image, and the summary has the verified bytes. An image that was
# written to is read in any case.
. "$(dirname "$0")/../func/lib.sh"
. "$(dirname "$0")/lib_resume.sh"

SIZE=$((96 * MIB))
TARGET_WITH+=(--checkpoint-every 200ms --receipt target.receipt)
SOURCE_WITH+=(--receipt source.receipt)

# A shell that waits has read what its children have, by the kernel's count.
cat >counting <<'END'
#!/bin/bash
"$@"
status=$?
sed -n 's/^rchar: //p' /proc/$$/io >read.count
exit $status
END
chmod +x counting

# The target is stopped and saves a last checkpoint: after a kill there may be
# writes that came later than the last, and then all is read again.
begin_and_stop_at() # CHUNKS [OPTION of the source...]
{
    begin_slowly "$@"
    is_running "$SOURCE_PID" || fail "the clone has ended"
    kill -TERM "$TARGET_PID"
    wait_target
    assert_status target 143
    stop_process "$SOURCE_PID"
    [ -e .copy.clonewire-state ] || fail "there is no checkpoint"
}

begin_and_stop() { begin_and_stop_at 14; }

end() # [OPTION of the source...]
{
    start_target copy "${TARGET_TRUST[@]}"
    SOURCE_UNDER=(./counting)
    run_source "$DISK" --io-engine threads "$@"
    SOURCE_UNDER=()
    wait_target
    assert_status source 0
    assert_status target 0
    assert_digests_equal
    assert_same "$DISK" copy $SIZE
    rm -f copy
    echo "$*: $(grep -oE '"(un)?(verified|read)_bytes":[0-9]+' source.out |
        tr '\n' ' ') read $(cat read.count)"
}

assert_trusted() # all of what was held, and it was not read
{
    local side unread samples

    unread=$(count_of source unread_bytes)
    [ "$unread" -ge $((12 * MIB)) ] || fail "only $unread bytes were trusted"
    for side in source target; do
        assert_equal "$(count_of $side unread_bytes)" "$unread" "$side: unread"
        assert_equal "$(count_of $side unverified_bytes)" "$unread" \
            "$side: not verified"
        grep -q "\"unverified_bytes\": $unread," $side.receipt ||
            fail "$side: not in the receipt: $(cat $side.receipt)"
        assert_equal "$(count_of $side verified_bytes)" $((SIZE - unread)) \
            "$side: verified"
    done
    # Besides: samples of what is held, 16 at the end, and libraries.
    samples=$((unread < 16 * MIB ? unread : 16 * MIB))
    [ "$(cat read.count)" -lt $((SIZE - unread + samples + 17 * MIB)) ] ||
        fail "$(cat read.count) bytes were read"
}

assert_read() # all of it
{
    assert_equal "$(count_of source unread_bytes)" 0 "source: unread"
    assert_equal "$(count_of target verified_bytes)" $SIZE "target: verified"
    [ "$(cat read.count)" -ge $SIZE ] || fail "read only $(cat read.count)"
}

TARGET_TRUST=()
make_dense image $SIZE
begin_and_stop
end --resume trust
assert_trusted
assert_log source 'image is unchanged: [0-9]+ chunks'

# The target may ask for it as well.
begin_and_stop
TARGET_TRUST=(--resume trust)
end
assert_trusted
TARGET_TRUST=()

# Nobody asks.
begin_and_stop
end
assert_read
refute_log source 'image is unchanged'
assert_equal "$(count_of target unverified_bytes)" 0 "target: not verified"

# Whatever was done to the target's disk since, its times tell, and it is read.
begin_and_stop
put_noise .copy.clonewire-partial $((3 * MIB)) 4096 5
end --resume trust
assert_log target 'does not apply: it was written to since the checkpoint'
assert_log target '1 chunks were not what the checkpoint claimed'
assert_equal "$(count_of target unverified_bytes)" 0 "target: not verified"

# A record made with another key.
begin_and_stop
printf 'me:%064d\n' 7 >psk
chmod 600 psk
TARGET_IDENTITY=(--psk-file psk) SOURCE_IDENTITY=(--psk-file psk)
end --resume trust
assert_log target 'does not apply: the checkpoint is not authenticated'
assert_equal "$(count_of target unverified_bytes)" 0 "target: not verified"
TARGET_IDENTITY=() SOURCE_IDENTITY=()

# One byte, and the times put back: ctime tells.
begin_and_stop
touch -r image times
printf x | dd of=image bs=1 seek=$((2 * MIB)) conv=notrunc status=none
touch -r times image
end --resume trust
assert_read
assert_log source 'may not be the one'
[ "$(count_of source same_bytes)" -gt 0 ] || fail "nothing was kept"

# What was begun from one image and gone on with from another is of none.
begin_and_stop
put_noise image $((5 * MIB)) 4096 3
begin_and_stop_at 40
end --resume trust
assert_read
[ "$(count_of source same_bytes)" -ge $((40 * MIB)) ] || fail "too little kept"

# A device has no times, but the kernel counts what is written to it.
[ "$(id -u)" = 0 ] || exit 0
attach image
DISK=$LOOP
begin_and_stop
end --resume trust
assert_trusted
begin_and_stop
printf x | dd of="$DISK" bs=1 seek=$((90 * MIB)) conv=notrunc status=none
end --resume trust
assert_read
# Nor is what is written to the file beneath it, which has a time.
begin_and_stop
printf y | dd of=image bs=1 seek=$((91 * MIB)) conv=notrunc,fsync status=none
blockdev --flushbufs "$DISK"
end --resume trust
assert_read
