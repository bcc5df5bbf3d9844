#!/bin/bash
# Every option can come from the environment; a command line option takes
# precedence.
. "$(dirname "$0")/lib.sh"

make_sparse image $((5 * MIB))
export CLONEWIRE_CA=$CERTS/ca.crt CLONEWIRE_LANES=1
TARGET_IDENTITY=(--lanes=3) SOURCE_IDENTITY=(--lanes=3)
TARGET_UNDER=(env CLONEWIRE_CERT="$CERTS/target.crt"
    CLONEWIRE_KEY="$CERTS/target.key")
SOURCE_UNDER=(env CLONEWIRE_CERT="$CERTS/source.crt"
    CLONEWIRE_KEY="$CERTS/source.key")
clone image copy
assert_same image copy $((5 * MIB))
assert_log source '^lanes +3,'
