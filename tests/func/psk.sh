#!/bin/bash
# A pre-shared key in place of certificates; a wrong key is refused with its
# reason.
. "$(dirname "$0")/lib.sh"

make_sparse image $((5 * MIB))
TARGET_IDENTITY=(--psk-file "$CERTS/psk.txt")
SOURCE_IDENTITY=(--psk-file "$CERTS/psk.txt")
clone image copy
assert_same image copy $((5 * MIB))
rm copy

SOURCE_IDENTITY=(--psk-file "$CERTS/psk.txt" --psk-identity clone)
clone image copy
assert_same image copy $((5 * MIB))
rm copy

SOURCE_IDENTITY=(--psk-file "$CERTS/psk-wrong.txt")
start_target copy --once
run_source image
assert_status source 20
assert_log source 'another key for identity "clone"'
assert_turned_away 'another key for identity "clone"'
[ ! -e copy ] || fail "a copy was made"

# A key that every user of the machine can read is refused.
cp "$CERTS/psk.txt" open.txt
chmod 644 open.txt
SOURCE_IDENTITY=(--psk-file open.txt)
run_source image
assert_status source 20
assert_log source 'key file open.txt is readable by all users .mode 0644.; chmod 600'
TARGET_IDENTITY=(--psk-file open.txt)
refuse_target 20 'key file open.txt is readable by all users' copy
