#!/bin/bash
# Both sides report an expired certificate with its date, whichever side has
# it.
. "$(dirname "$0")/lib.sh"

make_sparse image $((2 * MIB))

# Our own: found before a connection is made.
read -ra TARGET_IDENTITY < <(identity target-expired)
refuse_target 20 'target-expired.crt.*expired on 2020-01-01' copy

SOURCE_DIALS=127.0.0.1:1
read -ra SOURCE_IDENTITY < <(identity source-expired)
run_source image
assert_status source 20
assert_log source 'source-expired.crt.*expired on 2020-01-01'
