#!/bin/bash
# Many clones at once on one machine, whose targets start late: each source
# waits for its own target and starts once, and the processes stay small.
. "$(dirname "$0")/lib.sh"
require_plain_build "memory is measured"
require python3
PAIRS=${PAIRS:-12} LATE_S=${LATE_S:-2}

make_sparse image $((16 * MIB))
read -ra source_identity < <(identity source)
read -ra target_identity < <(identity target)
for ((i = 0; i < PAIRS; i++)); do ports[i]=$(own_port); done

# run NAME COMMAND...: NAME.status and NAME.peak, in KiB
run()
{
    python3 - "$@" >"$1.log" 2>&1 <<'P'
import os, sys
name, *command = sys.argv[1:]
pid = os.spawnv(os.P_NOWAIT, command[0], command)
_, status, usage = os.wait4(pid, 0)
open(f"{name}.peak", "w").write(f"{usage.ru_maxrss}\n")
sys.exit(os.waitstatus_to_exitcode(status))
P
}

for ((i = 0; i < PAIRS; i++)); do
    run "source-$i" "$SOURCE" "${source_identity[@]}" --job-id "pair-$i" \
        --connect-timeout 60s image "127.0.0.1:${ports[i]}" &
    sources[i]=$!
    at_exit stop_process $!
done
sleep "$LATE_S"
for ((i = 0; i < PAIRS; i++)); do
    run "target-$i" "$TARGET" "${target_identity[@]}" --once \
        --listen "127.0.0.1:${ports[i]}" "copy-$i" &
    targets[i]=$!
    at_exit stop_process $!
done
SECONDS=0
for ((i = 0; i < PAIRS; i++)); do
    wait "${sources[i]}" || fail "source $i: $(tail -n 1 "source-$i.log")"
    wait "${targets[i]}" || fail "target $i: $(tail -n 1 "target-$i.log")"
    cmp image "copy-$i"
done
for side in source target; do
    most=$(cat $side-*.peak | sort -n | tail -n 1)
    echo "$PAIRS pairs in $SECONDS s; the largest $side took $most KiB"
    [ "$most" -le $((64 * KIB)) ] || fail "a $side took $most KiB"
done
