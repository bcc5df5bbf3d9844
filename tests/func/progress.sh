#!/bin/bash
# The progress only increases, and is 100 % once, at the end.
. "$(dirname "$0")/lib.sh"
require python3

make_dense data $((24 * MIB))
faulty_up data slow 60M

SOURCE_WITH=(--progress=json) TARGET_WITH=(--progress=json)
clone "$FAULTY_DISK" copy
for side in source target; do
    cat $side.out $side.log >$side.all
    python3 - $side.all <<'END' || fail "progress of the $side"
import json
import sys
rows = []
for line in open(sys.argv[1]):
    try:
        row = json.loads(line)
    except ValueError:
        continue
    if row.get("event") == "progress":
        rows.append(row)
percents = [100 * row["ratio"] for row in rows]
print(percents)
assert len(percents) >= 4, "too few"
assert percents == sorted(percents), "not monotone"
assert percents[-1] == 100, "does not end at 100"
assert all(p < 100 for p in percents[:-1]), "100 before the end"
assert any(0 < p < 100 for p in percents), "nothing in between"
END
done
