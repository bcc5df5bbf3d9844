#!/bin/bash
# The server answers malformed requests, conflicting lengths, endless headers
# and silence correctly or closes the connection. None of them makes a disk,
# and the next client is served.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"
require python3

mkdir data
put_noise image 0 $MIB
start_server data/disk.img
abuse() # KIND
{
    python3 "$TESTS/tools/cdi_abuse.py" "$TARGET_ADDRESS" "$CERTS" "$1" \
        >abuse.log 2>&1 || fail "$(cat abuse.log)"
}

abuse requests
wait_log target 'refused.* 401 Unauthorized' || fail "no word about a stranger"
for ((i = 0; i < 500; i++)); do
    [ "$(grep -c 'after 512 bytes of the body' target.log)" -lt 2 ] || break
    sleep 0.02
done
assert_equal "$(grep -c 'after 512 bytes of the body' target.log)" 2 "cut uploads"
assert_equal "$(find data -size +0 -name '*img*')" "" "files left"

abuse slow
curl_as source -X POST -T image -H Expect: \
    --request-target "https://$TARGET_ADDRESS$UPLOAD" /
assert_answer 200
wait_success "Upload Complete"
cmp image data/disk.img
