#!/bin/bash
# --doctor prints one line for each check: without a path, for a file and for a
# directory. A failed check is a "no" with advice, and not an error.
. "$(dirname "$0")/lib.sh"

"$SOURCE" --doctor >out
for name in io_uring 'locked memory' CPUs 'memory limit' 'TLS library' \
    'FIPS provider' kTLS 'huge pages'; do
    assert_equal "$(grep -cE "^(ok|no) +$name " out)" 1 "lines of $name"
done
! grep -q 'direct I/O' out || fail "a path without being asked"

truncate -s 1M image
for path in image .; do
    "$SOURCE" --doctor $path >out
    grep -qE "^(ok|no) +direct I/O .* on $path" out || fail "$(cat out)"
    grep -qE "^(ok|no) +uncached I/O .* on $path" out || fail "$(cat out)"
done
grep -qF "huge pages     $(cat /sys/kernel/mm/transparent_hugepage/enabled)" out ||
    fail "$(cat out)"
queue=$(stat -c '/sys/dev/block/%Hd:%Ld' .)
[ -d "$queue/queue" ] || queue=$queue/..
if [ -e "$queue/queue/max_segments" ]; then
    segments=$(cat "$queue/queue/max_segments")
    grep -qE "^(ok|no) +device queue .* KiB in $segments segments" out ||
        fail "$(cat out)"
fi
"$SOURCE" --doctor nowhere >out
grep -qE '^no +path +nowhere: No such file' out || fail "$(cat out)"
[ -z "$(find . -newer image -name '.*' ! -name .)" ] || fail "left a file"

"$TOOLS/nouring" EPERM "$SOURCE" --doctor --json >out
grep -qE '^\{"name":"io_uring","good":false,"found":"[^"]+","advice":"[^"]+"\}$' \
    out || fail "$(cat out)"

# The other side has the same doctor.
assert_equal "$("$TARGET" --doctor . | cut -c 1-19)" \
    "$("$SOURCE" --doctor . | cut -c 1-19)" "the target's lines"

assert_equal "$("$SOURCE" --doctor | grep -c 'OpenSSL 3')" 1 "the library"

# Where a FIPS provider is active it says so, and no other code does the
# arithmetic of TLS in the provider's place.
cat >openssl.cnf <<END
openssl_conf = all
[all]
providers = providers
[providers]
fips = fips_provider
default = default_provider
[fips_provider]
module = $TOOLS/fips.so
activate = 1
[default_provider]
activate = 1
END
OPENSSL_CONF=$PWD/openssl.cnf "$SOURCE" --doctor >out
grep -qE '^ok +FIPS provider +active' out || fail "$(cat out)"
SOURCE_UNDER=(env "OPENSSL_CONF=$PWD/openssl.cnf") SOURCE_WITH=(-v)
clone image copy
refute_log source "AES-GCM by Intel"

STATUS=0
"$TARGET" 2>err || STATUS=$?
assert_equal "$STATUS" 2 "status without DEST"
grep -q 'DEST (CLONEWIRE_DEST) is missing' err || fail "$(cat err)"
STATUS=0
"$SOURCE" 2>err || STATUS=$?
assert_equal "$STATUS" 2 "status without IMAGE"
grep -q 'IMAGE (CLONEWIRE_IMAGE) is missing' err || fail "$(cat err)"
