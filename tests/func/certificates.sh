#!/bin/bash
# Each kind of wrong certificate is refused, and both sides report the reason.
. "$(dirname "$0")/lib.sh"

make_sparse image $((5 * MIB))

refused() # SOURCE-LOG-REGEX TARGET-LOG-REGEX
{
    start_target copy --once --peer-name source
    run_source image
    assert_status source 20
    assert_log source "$1"
    assert_turned_away "$2"
    [ ! -e copy ] || fail "a copy was made"
}

source_is() { read -ra SOURCE_IDENTITY < <(identity "$1"); }
target_is() { read -ra TARGET_IDENTITY < <(identity "$1"); }

target_is target
source_is source-imposter
refused 'name mismatch: wanted source, certificate has DNS:imposter' \
    'name mismatch: wanted source, certificate has DNS:imposter'

source_is source-stranger
refused 'target refused our certificate: .*trust.*clonewire stranger-ca' \
    'certificate of the source is not from a CA we trust.*stranger-ca'

source_is source
target_is target-imposter
refused 'name mismatch: wanted 127\.0\.0\.1, certificate has DNS:imposter' \
    'name mismatch: wanted 127\.0\.0\.1, certificate has DNS:imposter'

target_is target-stranger
refused 'certificate of the target is not from a CA we trust.*stranger-ca' \
    'source refused our certificate: .*trust.*clonewire stranger-ca'

# Good again: by SAN, by CN, and by the name we were told to expect.
target_is target
clone image copy
rm copy
source_is cn
TARGET_WITH=(--peer-name source)
clone image copy
rm copy
source_is source
SOURCE_WITH=(--server-name target)
clone image copy
assert_same image copy $((5 * MIB))
