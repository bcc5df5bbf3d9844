#!/bin/bash
# A device that is not blank is shown, and a terminal is asked; without a
# terminal it is refused, unless --yes is given. A blank one is overwritten.
. "$(dirname "$0")/lib.sh"
require_loop
require mkfs.ext4 python3

truncate -s 16M image blank
truncate -s 32M volume table
dd if=/dev/urandom of=image bs=1M seek=2 count=1 conv=notrunc status=none
mkfs.ext4 -q -L guests volume
# One Linux partition of 1 MiB at 1 MiB, as in a master boot record.
{
    printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\010\0\0'
    head -c 48 /dev/zero
    printf '\125\252'
} | dd of=table bs=1 seek=446 conv=notrunc status=none

read -ra identity < <(identity target)

target_on() # DEST [OPTION...]: to its end, or until it listens
{
    : >target.log
    "$TARGET" --listen 127.0.0.1:0 "${identity[@]}" "${@:2}" "$1" \
        >target.out 2>target.log </dev/null &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
    if wait_log target 'listening on'; then
        kill $TARGET_PID
    fi
    wait_target
}

attach blank
target_on "$LOOP"
assert_status target 143
assert_log target "$LOOP: 16 MiB, loop over .*holds nothing"
assert_log target 'listening on'

attach volume
device=$LOOP
before=$(sha256sum <volume)
target_on "$device" --resume off
assert_status target 11
assert_log target "target: $device holds ext4 filesystem \"guests\": say --yes"
refute_log target 'listening on'
target_on "$device" # it may be a clone that its source began
assert_status target 143
assert_log target 'resuming only an unfinished clone of this source'
target_on "$device" --yes
assert_status target 143
CLONEWIRE_YES=1 target_on "$device"
assert_status target 143

attach table
target_on "$LOOP" --resume off
assert_status target 11
assert_log target "holds a dos partition table with 1 partition:"

# A file is no device: --overwrite says it all.
target_on volume --overwrite
assert_status target 143

on_terminal() # ANSWER STATUS [OPTION...]: what it shows to shown.log
{
    python3 - "$1" "$TARGET" --listen 127.0.0.1:0 "${identity[@]}" "${@:3}" \
        "$device" >shown.log <<'END' || status=$?
import os, pty, signal, sys
signal.alarm(60)
answer, *command = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen = b""
said = False
try:
    while b"listening on" not in seen:
        seen += os.read(fd, 4096)
        if answer and not said and b"(yes/no) " in seen:
            said = True
            os.write(fd, answer.encode())
    os.kill(pid, signal.SIGTERM)
    while True:
        seen += os.read(fd, 4096)
except OSError:
    pass
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
    assert_equal "${status:-0}" "$2" "status of a target on a terminal"
    status=0
}

on_terminal $'what\nno\n' 11
grep -q "$device: 32 MiB, loop over .*holds ext4 filesystem \"guests\"" \
    shown.log || fail "shown: $(cat shown.log)"
assert_equal "$(grep -c 'Continue?' shown.log)" 2 "questions"
grep -q 'the answer was no' shown.log || fail "$(cat shown.log)"
on_terminal $'yes\n' 143
on_terminal '' 143 --yes
! grep -q 'Continue?' shown.log || fail "asked in spite of --yes"
assert_equal "$(sha256sum <volume)" "$before" "the device"
