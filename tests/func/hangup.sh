#!/bin/bash
# A terminal that is closed ends the programs that it started, and their port
# is free. With nohup they stay.
. "$(dirname "$0")/lib.sh"
require script

# Runs the target on a terminal of its own, whose other side is TERMINAL_PID.
# Its process is TARGET_PID.
start_on_terminal() # COMMAND...
{
    : >target.log
    script -qc "$(printf '%q ' "$@") 2>target.log" /dev/null </dev/null \
        >/dev/null 2>&1 &
    TERMINAL_PID=$! TARGET_PID=$!
    at_exit stop_process $TERMINAL_PID
    wait_listening
    TARGET_PID=$(pgrep -f "^[^ ]*clonewire-target .*$WORK/copy") ||
        fail "no target"
}

close_terminal()
{
    kill -KILL "$TERMINAL_PID"
    wait "$TERMINAL_PID" || true
}

ends() # PID: within ten seconds
{
    for ((i = 0; i < 100; i++)); do
        is_running "$1" || return 0
        sleep 0.1
    done
    return 1
}

read -ra TARGET_IDENTITY < <(identity target)

on_terminal=("$TARGET" --yes --listen 127.0.0.1:0
    "${TARGET_IDENTITY[@]}" "$WORK/copy")
start_on_terminal "${on_terminal[@]}"
close_terminal
ends "$TARGET_PID" || fail "the target outlives its terminal"
refute_log target 'reading certificates and keys again'

start_on_terminal nohup "${on_terminal[@]}"
close_terminal
sleep 1
kill -0 "$TARGET_PID" || fail "nohup did not keep the target"
kill -TERM "$TARGET_PID"
ends "$TARGET_PID" || fail "the target does not stop"
