#!/bin/bash
# Two machines without certificates: the target prints a code, and the source
# takes it from the command line, a file, the environment or a terminal. A
# wrong code is refused and logged, too many end the target, and a code is
# valid for one job and a limited time.
. "$(dirname "$0")/lib.sh"
require python3

truncate -s 20M image
dd if=/dev/urandom of=image bs=1M seek=3 count=2 conv=notrunc status=none

new_target() # DEST [OPTION...]
{
    LISTEN=${LISTEN_ON:-127.0.0.1:0}
    : >target.log
    "$TARGET" --listen "$LISTEN" "${@:2}" "$1" >target.out 2>>target.log &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
    wait_listening
    for ((i = 0; i < 1000; i++)); do
        CODE=$(grep -oE 'cw1-[^ "]+' target.out | head -n 1) || true
        [ -z "$CODE" ] || return 0
        sleep 0.05
    done
    fail "the target printed no code"
}

source_with() # [ARGUMENT...] <stdin: to the end, as SOURCE_STATUS
{
    SOURCE_STATUS=0
    timeout $LONGEST "$SOURCE" "$@" >source.out 2>source.log || SOURCE_STATUS=$?
}

# The line to paste works as it is, and no log has the secret.
new_target copy1
grep -qE "^    clonewire-source IMAGE $CODE\$" target.out ||
    fail "no line to paste: $(cat target.out)"
grep -q 'within 15 minutes' target.out || fail "no word of how long"
source_with -v image "$CODE"
wait_target
assert_status source 0
assert_status target 0
assert_digests_equal
cmp image copy1
secret=${CODE#cw1-????????}
secret=${secret%@*}
! grep -q "${secret:0:12}" source.log target.log || fail "a log has the secret"

# The job is over: nobody takes the code any more, a new run has its own.
old=$CODE
new_target copy2
[ "${CODE%@*}" != "${old%@*}" ] || fail "the same code twice"
source_with image "${old%@*}@${CODE#*@}"
assert_status source 20
assert_log source 'does not take this pairing code'
wait_log target 'refused a connection: handshake with the source at 127\.0\.0\.1:[0-9]+: .*clonewire-pair-[0-9a-z]{8}' ||
    fail "the wrong code was not told"

# A typo is told before anything is sent.
source_with image "${CODE/cw1-?/cw1-}"
assert_status source 2
assert_log source 'pairing code is incomplete'
typo=0
[ "${CODE:4:1}" != 0 ] || typo=1
source_with image "cw1-$typo${CODE:5}"
assert_status source 2
assert_log source 'pairing code is mistyped'

# From a file, with the whole line pasted into it.
echo "  clonewire-source IMAGE $CODE  " >code
source_with image --code-file code
wait_target
assert_status source 0
assert_status target 0
cmp image copy2

# From the environment.
new_target copy3
CLONEWIRE_CODE=$CODE source_with image
wait_target
assert_status source 0
cmp image copy3

# From a terminal, which does not show it; and ps(1) shows no argument.
new_target copy4
python3 - "$SOURCE" image "$CODE" <<'END' || fail "asked on a terminal"
import os, pty, signal, sys
signal.alarm(60)
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], sys.argv[2]])
seen = b""
while b"Paste what clonewire-target printed: " not in seen:
    seen += os.read(fd, 4096)
os.write(fd, sys.argv[3].encode() + b"\n")
try:
    while True:
        seen += os.read(fd, 4096)
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status != 0 or sys.argv[3].encode()[:20] in seen:
    sys.exit(f"status {status}, terminal: {seen.decode()}")
END
wait_target
assert_status target 0
cmp image copy4

# On the command line it is overwritten as soon as it is read: this source
# waits for a target that is gone.
"$SOURCE" --connect-timeout 20s image "$CODE" 2>source.log &
SOURCE_PID=$!
at_exit stop_process $SOURCE_PID
wait_log source 'trying again' || fail "the source did not wait"
! grep -aq "${secret:0:12}\|${CODE:4:12}" "/proc/$SOURCE_PID/cmdline" ||
    fail "the command line shows the code"
stop_process $SOURCE_PID || true

# Wrong codes do not end the target, also those that begin like ours and only
# have another key behind that, and however many come.
new_target copy5
for i in 1 2 3; do
    source_with image "${old%@*}@${CODE#*@}"
    assert_status source 20
done
for i in 1 2 3 4 5; do
    timeout $LONGEST openssl s_client -connect "${CODE#*@}" -tls1_3 \
        -alpn clonewire/1 -psk_identity "clonewire-pair-${CODE:4:8}" \
        -psk "$(printf '%064d' 7)" </dev/null >stranger.out 2>&1 || true
done
wait_log target 'the source holds another key' || fail "the wrong key: no word"
source_with image "$CODE"
wait_target
assert_status target 0
cmp image copy5

# Nobody comes: the code ends, and the target with it.
new_target copy6 --code-valid 1s
wait_target
assert_status target 75
assert_log target 'no source connected while the pairing code was valid'

# As JSON, on stdout; stderr is for logs.
new_target copy7 --log-format json --code-valid 5m
grep -q '"event":"pairing"' target.out || fail "no JSON: $(cat target.out)"
grep -q '"valid_seconds":300' target.out || fail "no JSON: $(cat target.out)"
source_with image "$CODE"
wait_target
assert_status source 0

# A pod's log is no place for it: a file is, or stdout if that is wanted.
start_refused() # ENVIRONMENT REGEX
{
    local status=0

    env "$1" "$TARGET" --listen 127.0.0.1:0 copy9 >refused.out 2>refused.log ||
        status=$?
    assert_equal "$status" 2 "status with $1"
    grep -qE "$2.*--code-file" refused.log || fail "$1: $(cat refused.log)"
    [ ! -s refused.out ] || fail "$1: $(cat refused.out)"
}

start_refused KUBERNETES_SERVICE_HOST=10.0.0.1 'log of a pod'
journal=$(touch refused.out && stat -c %d:%i refused.out)
start_refused "JOURNAL_STREAM=$journal" 'log of a service'
export KUBERNETES_SERVICE_HOST=10.0.0.1
echo stale >code.txt
chmod 644 code.txt
LISTEN=127.0.0.1:0
: >target.log
"$TARGET" --listen "$LISTEN" --code-file code.txt copy9 >target.out \
    2>target.log &
TARGET_PID=$!
at_exit stop_process $TARGET_PID
wait_listening
until grep -q '^cw1-.*@127' code.txt 2>/dev/null; do
    is_running $TARGET_PID || fail "$(cat target.log)"
    sleep 0.05
done
assert_equal "$(stat -c %a code.txt)" 600 "mode of the file"
! grep -q cw1- target.out target.log || fail "the code is in a log"
source_with image --code-file code.txt
wait_target
assert_status source 0
assert_status target 0
new_target copy10 --code-file -
source_with image "$CODE"
wait_target
assert_status source 0
unset KUBERNETES_SERVICE_HOST

# On every address there are as many lines as addresses.
LISTEN_ON=:0 new_target copy8
lines=$(grep -c '^    clonewire-source IMAGE cw1-' target.out)
[ "$lines" -ge 1 ] || fail "no address"
source_with image "$CODE"
wait_target
assert_status source 0
assert_status target 0

# A code and another identity contradict each other.
source_with image "$CODE" --psk-file "$WORK/none"
assert_status source 2
assert_log source 'give one of them'
