#!/bin/bash
# When a process may not open enough files, it reports the limit to raise, with
# status 1, and blames neither disk nor network.
. "$(dirname "$0")/lib.sh"

make_dense disk 3072000
SAID='Too many open files; raise the limit of this process \(ulimit -n\)'

cat >with_limit <<'END'
#!/bin/bash
# with_limit N COMMAND...
ulimit -n "$1" && exec "${@:2}"
END
chmod +x with_limit

assert_blames_limit() # SIDE STATUS N
{
    [ "$2" = 1 ] || fail "$1 with $3 descriptors: status $2, not 1"
    assert_log "$1" "$SAID"
}

for ((n = 6; n < 64; n++)); do
    status=0
    ./with_limit $n "$SOURCE" disk --to copy >source.out 2>source.log ||
        status=$?
    [ $status != 0 ] || break
    assert_blames_limit source $status $n
done
[ $n -gt 6 ] || fail "6 descriptors suffice: nothing was tried"
cmp disk copy

# Who is short of them says it, and the other side hears it, or gives up.
# 0: both are content.
clone_with() # COPY
{
    start_target "$1" --once --retry-for off
    run_source disk --retry-for off --connect-timeout 2s
    [ "$SOURCE_STATUS" != 0 ] || { wait_target; return 0; }
    stop_process "$TARGET_PID"
    return 1
}

for ((n = 8; n < 64; n++)); do
    SOURCE_UNDER=(./with_limit "$n")
    ! clone_with copy$n || break
    assert_blames_limit source "$SOURCE_STATUS" $n
done
[ $n -gt 8 ] || fail "8 descriptors suffice: nothing was tried"
cmp disk copy$n

# With --once, a target that cannot let its source in ends.
SOURCE_UNDER=()
for ((n = 8; n < 64; n++)); do
    TARGET_UNDER=(./with_limit "$n")
    launch_target last$n --once --retry-for off
    if wait_log target 'listening on [^ "]+:[0-9]+'; then
        wait_listening
        run_source disk --retry-for off --connect-timeout 2s
        case $SOURCE_STATUS in
        0) break ;;
        1 | 75) ;;
        *) fail "source of a target with $n descriptors: $SOURCE_STATUS" ;;
        esac
    fi
    wait_target
    case $TARGET_STATUS in
    1 | 75) ;;
    *) fail "target with $n descriptors: status $TARGET_STATUS" ;;
    esac
    assert_log target "$SAID"
done
[ $n -gt 8 ] || fail "8 descriptors suffice: nothing was tried"
wait_target
assert_status target 0
cmp disk last$n
