#!/bin/bash
# Small images that make much work: what has no end in proportion to the file
# is refused, the rest is done, and SIGTERM ends it at once.
. "$(dirname "$0")/../func/lib.sh"
require python3

# Seconds of CPU, so that a busy machine makes no difference.
bounded() # SECONDS COMMAND...
{
    (
        ulimit -t "$1"
        exec "${@:2}"
    )
}

refused() # KIND REGEX
{
    local status

    python3 "$TESTS/tools/bombs.py" "$1" bomb
    for query in --inspect --map --digest; do
        status=0
        bounded 20 "$SOURCE" $query bomb >query.out 2>query.log || status=$?
        assert_equal $status 13 "status of $query $1"
        assert_log query "$2"
    done
}

refused xz-streams 'xz: too many streams or blocks for a file of this size'
refused qcow2-shared 'compressed clusters .* need more than 4 times the bytes of the file'

python3 "$TESTS/tools/bombs.py" qcow2-runs bomb
bounded 60 "$SOURCE" --inspect bomb >query.out ||
    fail "--inspect has no end"
grep -q '^data *0 bytes' query.out || fail "wrong answer: $(cat query.out)"

# While its map is checked.
for query in --inspect --map --digest; do
    "$SOURCE" $query bomb >query.out 2>query.log &
    QUERY=$!
    at_exit stop_process $QUERY
    sleep 0.2
    kill -TERM $QUERY 2>/dev/null || continue # it was faster
    status=0
    wait $QUERY || status=$?
    assert_equal $status 143 "status of $query after SIGTERM"
done
