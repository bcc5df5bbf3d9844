#!/bin/bash
# Every command that README, docs/operations.md and the manuals show works as
# it stands there; only names of machines and disks are replaced by ours.
. "$(dirname "$0")/lib.sh"
require openssl qemu-img python3
DOCS=$CW_SOURCE_DIR
PATH=$CW_BUILD/cmd:$PATH
export CLONEWIRE_LISTEN=127.0.0.1:0 CLONEWIRE_QUIET='' CLONEWIRE_LANES=1

mkdir vm
make_sparse vm-disk $((8 * MIB))
cp --sparse=always vm-disk disk.img
qemu-img convert -O qcow2 vm-disk disk.qcow2

# The commands at a prompt, continued lines joined: "target clonewire-...".
shown() # FILE
{
    sed -e ':a' -e '/\\$/{N;s/ *\\\n */ /;ba' -e '}' "$1" |
        sed -nE 's/^ *(target|source)\$ +/\1 /p'
}

examples() # PROGRAM: those of --help, as if at a prompt
{
    "$1" --help | sed '1,/^Examples:$/d; /^$/,$d' >examples.txt
    sed -e ':a' -e '/\\$/{N;s/ *\\\n */ /;ba' -e '}' examples.txt |
        sed -E "s/^ +clonewire-(source|target)/\\1 &/; s/  +/ /g; s/ \\(.*//"
}

ours() # COMMAND: with our disks, and the address that the target has
{
    sed -E "s,/var/lib/vm,vm,g; s,/dev/vg/vm-disk,$DISK,; s,(--to )disk.img\$,\\1copy.img,
        s,cw1-[^@]*\\.\\.\\.@[^ ]*,$CODE,
        s,target\\.example(:8443)?\$,localhost:$PORT,; s,\\[fd00::7\\]\$,localhost:$PORT," <<<"$1"
}

alone() # COMMAND
{
    DISK=vm-disk CODE='' PORT=''
    rm -rf vm/* copy.img
    bash -c "$(ours "$1")" >out.log 2>err.log </dev/null ||
        fail "$1: $(cat err.log)"
}

together() # TARGET-COMMAND SOURCE-COMMAND
{
    rm -rf vm/* copied-disk
    DISK=copied-disk CODE='' PORT=''
    : >target.log
    bash -c "exec $(ours "$1")" >target.out 2>>target.log </dev/null &
    TARGET_PID=$!
    at_exit stop_process $TARGET_PID
    wait_listening
    PORT=${TARGET_ADDRESS##*:} DISK=vm-disk
    CODE=$(wait_code "$1")
    bash -c "$(ours "$2")" >source.out 2>source.log </dev/null ||
        fail "$2: $(tail -n 1 source.log)"
    wait_target
    assert_status target 0
    cmp vm-disk "$(ls vm/* copied-disk 2>/dev/null)" || fail "$1: no copy"
    assert_digests_equal
}

wait_code() # TARGET-COMMAND: what it prints, if it names no identity
{
    case $1 in *--cert* | *--psk*) return ;; esac
    for ((i = 0; i < 200; i++)); do
        ! grep -oE 'cw1-[^ .]+@[^ ]+' target.out || return 0
        sleep 0.05
    done
    fail "$1: no code"
}

kind_of() # COMMAND
{
    case $1 in
    *--via*) echo ssh ;; # func/via.sh has a daemon for it
    *--cert*) echo certificates ;;
    *--psk-file*) echo key ;;
    *cw1-*) echo code ;;
    'source '*--to\ * | *--inspect* | *--doctor* | *--map* | *--plan*) echo alone ;;
    'target '*) echo code ;;
    *) fail "an example of no kind: $1" ;;
    esac
}

# The certificates and the key that they speak of are made as they say.
sed -n '/^    new() {/,/^$/p' "$DOCS/README.md" |
    sed 's,target\.example,localhost,' >make.sh
grep -q subjectAltName make.sh || fail "README makes no certificates"
bash -e make.sh 2>make.log || fail "README: $(cat make.log)"
for side in source target; do
    cp $side.crt ${side:0:1}.crt
    cp $side.key ${side:0:1}.key
done
sed -n 's/^\$ \(printf .*keys\.psk\)$/\1/p' "$DOCS/docs/operations.md" >make.sh
bash -e make.sh
[ -s keys.psk ] || fail "docs/operations.md makes no key"

count=0
for from in README docs/operations manuals; do
    if [ $from = manuals ]; then
        { examples clonewire-target; examples clonewire-source; } >commands
    else
        shown "$DOCS/$from.md" >commands
    fi
    [ -s commands ] || fail "$from shows no command"
    declare -A targets=()
    while read -r line; do
        kind=$(kind_of "$line")
        command=${line#* }
        if [ "$kind" = ssh ]; then
            grep -qF -- "$command" "${0%/*}/via.sh" || fail "via.sh: $command"
        elif [ "$kind" = alone ]; then
            alone "$command"
        elif [ "${line%% *}" = target ]; then
            targets[$kind]=$command
            continue
        else
            [ -n "${targets[$kind]:-}" ] || fail "no target for: $command"
            together "${targets[$kind]}" "$command"
        fi
        count=$((count + 1))
    done <commands
    unset targets
done
[ $count -ge 9 ] || fail "only $count examples were tried"

# What README lets a developer type is there.
sed -nE 's,^    \./dev ([a-z]+) .*,\1,p' "$DOCS/README.md" >developer
"$DOCS/dev" 2>usage || true
while read -r command; do
    grep -qE "^  $command\b" usage || fail "no ./dev $command"
done <developer
