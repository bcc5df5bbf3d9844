#!/bin/bash
# Every program works when started without stdin, stdout or stderr: no disk
# gets their descriptors, and no log text is written to one. Reading such a
# stdin or printing a result to such a stdout fails.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

make_dense disk 3072000
truncate -s 8M disk

cat >without <<'END'
#!/bin/bash
# without "FD..." COMMAND...: runs it with these descriptors closed
for fd in $1; do eval "exec $fd>&-"; done
exec "${@:2}"
END
chmod +x without

# Its log may be closed: so the port is known beforehand, and the source
# comes as soon as somebody listens.
choose_port()
{
    LISTEN=127.0.0.1:$(own_port)
    TARGET_ADDRESS=$LISTEN
}

finish() # WHAT COPY
{
    wait_source
    wait_target
    [ "$SOURCE_STATUS$TARGET_STATUS" = 00 ] ||
        fail "$1: source $SOURCE_STATUS, target $TARGET_STATUS"
    cmp disk "$2" || fail "$1: the copy differs"
    rm "$2"
}

for closed in 0 1 2 '0 1' '0 2' '1 2' '0 1 2'; do
    # Receipt and termination log are files that are opened beside the disks.
    ./without "$closed" "$SOURCE" disk --to copy --receipt receipt \
        --termination-log word || fail "local copy without $closed: status $?"
    cmp disk copy || fail "local copy without $closed differs"
    rm copy

    choose_port
    TARGET_UNDER=(./without "$closed")
    SOURCE_UNDER=(./without "$closed")
    launch_target copy --once --receipt receipt
    start_source disk
    finish "without $closed" copy

    choose_port
    SERVER_ADDRESS=$LISTEN
    SERVER_ENV=(LISTEN_PORT="${LISTEN##*:}")
    launch_server copy.img
    start_cloner block "$PWD/disk"
    finish "CDI's without $closed" copy.img
    grep -q 'Clone Complete' term || fail "no termination message: $(cat term)"
done

# An image on a stdin that is closed is not an empty disk.
for closed in 0 '0 1 2'; do
    status=0
    ./without "$closed" "$SOURCE" - --to none --size 1MiB || status=$?
    [ $status != 0 ] || fail "read a disk from stdin, which was closed"
    [ ! -e none ] || fail "made a disk of a closed stdin"
done
for program in "$SOURCE" "$TARGET" "$CLONER" "$UPLOADSERVER"; do
    status=0
    ./without 1 "$program" --version 2>log || status=$?
    [ $status != 0 ] || fail "$program printed its version nowhere, and said 0"
    grep -q 'standard output' log || fail "$program did not say why"
done
