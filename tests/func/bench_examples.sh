#!/bin/bash
# Every command in bench/README.md runs, on disks of 1 MiB and for one round;
# of the microbenchmarks one, with a stand-in for valgrind.
. "$(dirname "$0")/lib.sh"
require python3
require_plain_build "measured are plain builds"
BENCH=$CW_SOURCE_DIR/bench
[ -x "$CW_BUILD/bench/bench-launch" ] || skip "bench-tools are not built"

mkdir -p bin build/bench
ln -s "$CW_BUILD/cmd" build/
ln -s "$CW_BUILD"/bench/bench-{launch,plain-copy,micro-wire} build/bench/
printf '%s\n' '#!/bin/sh' 'while [ "${1#--}" != "$1" ]; do shift; done' \
    '"$@" >/dev/null && echo "Collected : 1000" >&2' >bin/valgrind
printf '%s\n' '#!/bin/sh' 'exit 1' >bin/perf
chmod +x bin/*
PATH=$WORK/bin:$PATH

ours() # COMMAND: small, by this build, and with records that are there
{
    local small="--size 1MiB --warmup 0 --rounds 1 --dir $WORK/work --json $WORK/new.json"

    sed -E "s,bench/,$BENCH/,; s,=/tmp/old/build/release,=$WORK/build,
        s,OLD\\.json,new.json,; s,NEW\\.json,new.json,
        s,/run( |\$),/run --build $WORK/build ,
        /--list/! s,/run (.*),/run \\1 $small," <<<"$1"
}

# "    COMMAND   what it is for", which begins behind two blanks
sed -nE 's/^    (bench\/.*)/\1/p' "$BENCH/README.md" | sed -E 's/  .*//' |
    grep -vE '^bench/$' >commands
[ "$(wc -l <commands)" -ge 8 ] || fail "README shows $(wc -l <commands)"
while read -r line; do
    case $line in
    bench/run | bench/run\ sparse*) line="$line --peer none" ;; # peers: below
    esac
    SECONDS=0
    bash -c "$(ours "$line")" >out.log 2>err.log </dev/null ||
        fail "$line: $(tail -n 3 out.log err.log)"
    [ -s out.log ] || fail "$line: no word"
    echo "$SECONDS s: $line"
    [[ $line != bench/tables* ]] || grep -q 'by bench/tables\|^|' out.log ||
        fail "no table: $(cat out.log)"
    [[ $line != bench/plot* ]] || grep -qx 'charts/.*\.svg' out.log ||
        fail "no chart: $(cat out.log)"
done <commands
grep -q '^bench/tables' commands || fail "README shows no bench/tables"
