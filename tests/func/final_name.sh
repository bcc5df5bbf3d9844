#!/bin/bash
# A name that rename(2) cannot set is refused before the first byte: by --plan,
# by a target and by --to.
. "$(dirname "$0")/lib.sh"
require_root "mounts, chattr and swapon"
require chattr setpriv mkswap

assert_refused() # STATUS REGEX DEST [COMMAND...]: by all three
{
    local status=$1 regex=$2 dest=$3 got=0

    "${@:4}" "$TARGET" --plan --source-size $MIB --overwrite "$dest" \
        >plan.log 2>&1 || got=$?
    [[ $got =~ ^($status)$ ]] || fail "$dest: status of --plan: $got"
    grep -qE -- "$regex" plan.log || fail "$dest: --plan said $(cat plan.log)"

    TARGET_UNDER=("${@:4}")
    launch_target "$dest" --overwrite
    wait_target
    TARGET_UNDER=()
    [[ $TARGET_STATUS =~ ^($status)$ ]] ||
        fail "$dest: status of a target: $TARGET_STATUS"
    assert_log target "$regex"
    refute_log target 'listening on'

    got=0
    "${@:4}" "$SOURCE" --to "$dest" --overwrite image >to.log 2>&1 || got=$?
    [[ $got =~ ^($status)$ ]] || fail "$dest: status of --to: $got"
    grep -qE -- "$regex" to.log || fail "$dest: --to said $(cat to.log)"
    ! grep 'copying' to.log || fail "$dest: bytes were copied"
    [ -z "$(find . -name '.*clonewire-partial*')" ] || fail "$dest: left"
}

change_flag() # FLAG FILE: undone at the end
{
    chattr "+$1" "$2" 2>/dev/null || skip "no chattr +$1 here"
    at_exit chattr "-$1" "$2"
}

TARGET_IDENTITY=(--code-valid 60s) # no keys to read, for any user
make_dense image $MIB
chmod 644 image
chmod 711 .
echo old >other

touch bound
mount --bind other bound
at_exit umount bound
assert_refused 11 'bound cannot be replaced: something is mounted on it' bound

cp other immutable
change_flag i immutable
assert_refused 11 'cannot be replaced: it is immutable' immutable
cp other append
change_flag a append
assert_refused 11 'cannot be replaced: it is append-only' append

mkdir frozen grows
cp other frozen/old
change_flag i frozen
change_flag a grows
# An immutable directory fails access(2) on some filesystems already.
assert_refused '11|31' 'its directory is immutable|no right to write' \
    frozen/old
assert_refused 11 'its directory is append-only' grows/new

dd if=/dev/zero of=swap bs=1M count=4 status=none
chmod 600 swap
mkswap swap >/dev/null 2>&1
if swapon swap 2>swapon.err; then
    at_exit swapoff "$PWD/swap"
    assert_refused 11 'it is in use as swap space' swap
fi

as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
mkdir sticky closed
chmod 1777 sticky
cp other sticky/theirs
chmod 666 sticky/theirs
assert_refused 11 "another user's, in a sticky directory" sticky/theirs \
    "${as_nobody[@]}"
assert_refused 31 'no right to write in closed' closed/new "${as_nobody[@]}"

mkdir solid
mount -t tmpfs -o size=1m none solid
at_exit umount solid
mount -o remount,ro solid
assert_refused 31 'solid.*Read-only file system' solid/new

assert_equal "$(cat other)" old "what is mounted"
