#!/bin/bash
# --digest-algorithm=sha256 gives the same root for the same bytes, in holes or
# not.
. "$(dirname "$0")/lib.sh"

make_sparse image $((12 * MIB))
SOURCE_WITH=(--digest-algorithm=sha256)
clone image copy
assert_log target 'sha256:[0-9a-f]{64}'
first=$(digest_of source)

cp --sparse=never image thick
rm copy
clone thick copy
assert_equal "$(digest_of source)" "$first" "digest of the thick twin"
assert_same image copy $((12 * MIB))
assert_allocation image copy # zeros that were written become holes

rm copy
put_noise thick 4096 1
clone thick copy
[ "$(digest_of source)" != "$first" ] || fail "one byte made no difference"
