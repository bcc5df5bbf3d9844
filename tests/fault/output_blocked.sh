#!/bin/bash
# A stalled reader of stderr, --progress=FD or the summary, because of a full
# pipe or Ctrl-S on a terminal, delays neither the clone nor SIGTERM.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require python3

make_dense disk 3072000

# A pipe that is full from the beginning and never read: descriptor 7.
mkfifo pipe
exec 7<>pipe
python3 - <<'END'
import fcntl, os
os.set_blocking(7, False)
try:
    while True:
        os.write(7, b"x" * 4096)
except BlockingIOError:
    pass
os.set_blocking(7, True)
END

cat >stuck <<'END'
#!/bin/bash
# stuck COMMAND...: with a stderr that takes nothing
exec "$@" 2>&7
END
cat >standing_terminal.py <<'END'
"""Runs a command whose stderr is a terminal after Ctrl-S; its status."""
import os, pty, subprocess, sys, termios
master, slave = pty.openpty()
termios.tcflow(slave, termios.TCOOFF)
os.environ["TERM"] = "xterm"
sys.exit(subprocess.run(sys.argv[1:], stderr=slave).returncode & 0xff)
END
chmod +x stuck

./stuck "$SOURCE" disk --to local -v --progress json || fail "local: status $?"
cmp disk local
"$SOURCE" disk --to local2 -v --progress 7 || fail "--progress=FD: status $?"
cmp disk local2
timeout $LONGEST "$SOURCE" disk --to local3 >&7 || fail "summary: status $?"
cmp disk local3
for style in bar json plain; do
    rm local
    timeout $LONGEST python3 standing_terminal.py "$SOURCE" disk --to local -v \
        --progress $style || fail "Ctrl-S with $style: status $?"
    cmp disk local
done

# Between two machines; who listens is known without the log.
choose_port()
{
    LISTEN=127.0.0.1:$(own_port)
    TARGET_ADDRESS=$LISTEN
}

finish() # COPY
{
    wait_source
    wait_target
    assert_status source 0
    assert_status target 0
    cmp disk "$1"
    rm "$1"
}

SOURCE_UNDER=(./stuck)
TARGET_UNDER=(./stuck)
choose_port
launch_target copy --once -v --progress json
start_source disk -v --progress json
finish copy

choose_port
SERVER_ADDRESS=$LISTEN
server_env LISTEN_PORT="${LISTEN##*:}"
launch_server copy.img -v=9
start_cloner block "$PWD/disk" -v=9
finish copy.img
grep -q 'Clone Complete' term || fail "no termination message: $(cat term)"

# While it lasts: the other side keeps hearing from one that cannot print, and
# a signal ends it; a second one at the latest.
TARGET_UNDER=()
for signals in 1 2; do
    LISTEN=127.0.0.1:0
    start_target slow --dead-peer-timeout 5s --once
    start_slow_source 64KiB disk -v --progress json --dead-peer-timeout 5s
    wait_log target 'copying|sending' || fail "it never began"
    sleep 7 # more than what the target waits for
    is_running "$TARGET_PID" || fail "the target did not hear from the source"
    is_running "$SOURCE_PID" || fail "the source ended by itself"
    refute_log target 'no sign of life'
    for ((i = 0; i < signals; i++)); do
        kill -TERM "$SOURCE_PID" 2>/dev/null || true
    done
    wait_source 30
    assert_status source 143
    # The second signal leaves no time to tell the target, which may wait.
    [ $signals = 1 ] || stop_process "$TARGET_PID"
    wait_target
done
for program in server cloner; do
    TARGET_UNDER=() SOURCE_UNDER=()
    [ $program = cloner ] || TARGET_UNDER=(./stuck)
    [ $program = server ] || SOURCE_UNDER=(./stuck)
    choose_port
    SERVER_ADDRESS=$LISTEN
    server_env LISTEN_PORT="${LISTEN##*:}"
    launch_server copy2.img -v=9
    if [ $program = server ]; then
        while ! (: <>"/dev/tcp/127.0.0.1/${LISTEN##*:}") 2>/dev/null; do
            sleep 0.05
        done
        kill -TERM "$TARGET_PID"
        wait_target 30
        assert_status target 143
    else
        stop_process "$TARGET_PID"
        start_cloner block "$PWD/disk" -v=9
        sleep 1
        kill -TERM "$SOURCE_PID"
        wait_source 30
        assert_status source 143
    fi
done
