#!/bin/bash
# With --log-format=json every line is a JSON object, also of a failed clone.
. "$(dirname "$0")/lib.sh"
require python3

parse() # SIDE: every line JSON with the fields people filter by
{
    python3 - "$1.log" "$1" <<'END' || fail "$1: not JSON lines"
import json
import sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert rows
for row in rows:
    assert row["level"] in ("error", "warn", "info", "debug"), row
    assert row["ts"].endswith("Z"), row
    assert row["side"] == sys.argv[2], row
    assert "msg" in row or "phase" in row, row
END
}

SOURCE_WITH=(--log-format=json -v) TARGET_WITH=(--log-format=json -v)
printf 'x' >'a "quoted" image'
clone 'a "quoted" image' copy
parse source
parse target

refuse_target 2 '"level":"error".*"kind":"usage".*"status":2' \
    no/such/directory
parse target
