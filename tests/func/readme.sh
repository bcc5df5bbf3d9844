#!/bin/bash
# Every command in README, docs/operations.md and the manuals works as printed;
# only names of machines and disks are replaced.
. "$(dirname "$0")/lib.sh"
require openssl qemu-img python3 jq
. "$(dirname "$0")/lib_examples.sh"
PATH=$CW_BUILD/cmd:$PATH
export CLONEWIRE_LISTEN=127.0.0.1:0 CLONEWIRE_LANES=1

mkdir vm
make_sparse vm-disk $((8 * MIB))
cp --sparse=always vm-disk disk.img
qemu-img convert -O qcow2 vm-disk disk.qcow2

ours() # COMMAND: with our disks, and the address that the target has
{
    sed -E "s,/var/lib/vm,vm,g; s,/dev/vg/vm-disk,$DISK,; s,(--to )disk.img\$,\\1copy.img,
        s,upload\\.example:8443,localhost:$PORT,
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
    cat target.out >>target.words
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
    *--via*) echo ssh ;; # func/via.sh has a daemon for them
    *" /srv/"*) echo directory ;; # func/tree.sh
    *https://upload.example*) echo upload ;;
    here\ *) echo prepared ;;
    *--cert*) echo certificates ;;
    *--psk-file*) echo key ;;
    *cw1-*) echo code ;;
    'source '*--to\ * | *--inspect* | *--doctor* | *--map* | *--plan*) echo alone ;;
    'target '*) echo code ;;
    *) fail "an example of no kind: $1" ;;
    esac
}

# The certificates and the key that they speak of are made as they say; the
# manuals call them by shorter names.
shown docs/operations.md | sed -n 's/^here //p' | grep -v -- --via |
    sed 's,target\.example,localhost,' >make.sh
bash -e make.sh 2>make.log || fail "docs/operations: $(cat make.log)"
[ -s keys.psk ] || fail "docs/operations.md makes no key"
for side in source target; do
    cp $side.crt ${side:0:1}.crt
    cp $side.key ${side:0:1}.key
done

declare -A count=()
for from in README docs/operations manuals; do
    if [ $from = manuals ]; then
        { examples clonewire-target; examples clonewire-source; } >commands
    else
        shown "$from.md" >commands
    fi
    [ -s commands ] || fail "$from shows no command"
    declare -A targets=()
    while read -r line; do
        kind=$(kind_of "$line")
        command=${line#* }
        count[$kind]=$((${count[$kind]:-0} + 1))
        case $kind in
        ssh | prepared | directory) continue ;;
        alone) alone "$command" && continue ;;
        upload)
            targets[upload]="clonewire-target --http --cert t.crt --key t.key \
                --ca ca.crt vm/disk.img" ;;
        esac
        if [ "${line%% *}" = target ]; then
            targets[$kind]=$command
        else
            [ -n "${targets[$kind]:-}" ] || fail "no target for: $command"
            together "${targets[$kind]}" "$command"
        fi
    done <commands
    unset targets
done
for kind in ssh prepared alone certificates key code; do
    [ "${count[$kind]:-0}" -gt 1 ] || fail "hardly any example with: $kind"
done

# What the target says is what README lets it say.
grep -qFx "$(sed -n 's/^    \(Run this on .*\)/\1/p' "$DOCS/README.md")" \
    target.words || fail "README: other words than the target's"

# Manifests that it names are there, and the script that makes Secrets does.
sed -nE 's/^ *(kubectl|podman|deploy)/\1/p' "$DOCS"/{README,deploy/README}.md |
    grep -oE '\bdeploy/[a-z./-]+' | sort -u >named
[ "$(wc -l <named)" -ge 3 ] || fail "no manifests are named"
while read -r file; do
    [ -e "$DOCS/$file" ] || fail "there is no $file"
done <named
"$DOCS/deploy/make-secrets" >secrets.yaml
assert_equal "$(grep -c '^kind: Secret$' secrets.yaml)" 2 "Secrets"

# What a developer is told to type is there.
sed -nE 's,^    (DEV_PRESET=[a-z]+ )?\./dev ([a-z]+) .*,\2,p' \
    "$DOCS"/{README,docs/testing}.md | sort -u >developer
[ "$(wc -l <developer)" -ge 4 ] || fail "no ./dev in README"
"$DOCS/dev" 2>usage || true
while read -r command; do
    grep -qE "^  $command\b" usage || fail "no ./dev $command"
done <developer
