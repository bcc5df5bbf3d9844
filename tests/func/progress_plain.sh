#!/bin/bash
# Plain progress lines increase to 100 %; --quiet prints nothing if the clone
# succeeds.
. "$(dirname "$0")/lib.sh"

make_dense data $((12 * MIB))

SOURCE_WITH=(--progress=plain) TARGET_WITH=(--progress=plain)
clone data copy
for side in source target; do
    grep -oE '[0-9]+\.[0-9]%' $side.log | tr -d '%' >percents
    sort -n -c percents || fail "$side: percents go back"
    assert_equal "$(tail -n 1 percents)" 100.0 "last percent of the $side"
    assert_equal "$(grep -c 100.0 percents)" 1 "how often $side said 100 %"
    assert_log $side 'flushing .*12 MiB/12 MiB'
    assert_log $side 'verifying .*12 MiB/12 MiB'
    grep -oE ' (planning|copying|flushing|verifying|done)( |$)' $side.log |
        uniq | tr -d '\n' >phases
    assert_equal "$(tr -s ' ' <phases)" \
        " planning copying flushing verifying done " "phases of the $side"
done
rm copy

start_target copy
run_source data --quiet
wait_target
assert_status source 0
[ ! -s source.log ] || fail "a quiet source spoke"
