#!/bin/bash
# An existing file is refused, and replaced as a whole with --overwrite.
. "$(dirname "$0")/lib.sh"

make_sparse image $((12 * MIB))
make_dirty copy $((20 * MIB))
cp copy before

refuse_target 11 'copy.*exists.*--overwrite' copy
cmp before copy

TARGET_WITH=(--overwrite)
clone image copy
assert_same image copy $((12 * MIB))
assert_allocation image copy

# Whoever could open the old file can open the new one, and nobody else.
overwrite() # [COMMAND...]: of old by image
{
    "$@" "$SOURCE" --to old --overwrite image >to.log 2>&1 ||
        fail "copy: $(tail -n 1 to.log)"
    cmp image old
}

[ "$(id -u)" = 0 ] || exit 0
require setpriv
chmod 777 .
chmod 644 image
printf old >old
chown 64055:108 old
chmod 640 old
if command -v setfacl >/dev/null && setfacl -m u:1234:r,g::-,m::r old; then
    getfacl -n old >before 2>/dev/null
    overwrite
    getfacl -n old >after 2>/dev/null
    cmp before after || fail "ACL: $(cat after)"
fi
setfacl -b old 2>/dev/null || true
chmod 640 old
overwrite
assert_equal "$(stat -c '%a %u:%g' old)" "640 64055:108" "owner and mode"

# Without the right to keep its owner: of its group, or only ours.
printf old >old
chown 64055:108 old
chmod 664 old
overwrite setpriv --reuid 65534 --regid 65534 --groups 108
assert_equal "$(stat -c '%a %u:%g' old)" "664 65534:108" "with the group"
grep -q 'its owner, user 64055, cannot be kept' to.log || fail "not said"
chown 64055:108 old
chmod 664 old
overwrite setpriv --reuid 65534 --regid 65534 --clear-groups
assert_equal "$(stat -c '%a %u:%g' old)" "600 65534:65534" "without it"
grep -q 'only user 65534 can open it now' to.log || fail "not said"
