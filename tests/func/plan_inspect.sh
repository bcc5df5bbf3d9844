#!/bin/bash
# --inspect and --plan print an answer without a peer, and write nothing.
set -euo pipefail

source_bin=$CW_BUILD/cmd/clonewire-source
target_bin=$CW_BUILD/cmd/clonewire-target

fail()
{
    echo "FAILED: $*" >&2
    exit 1
}

expect() # TEXT PATTERN
{
    grep -q -- "$2" <<<"$1" || fail "no \"$2\" in: $1"
}

truncate -s 10M disk.img
printf data | dd of=disk.img bs=1M seek=5 conv=notrunc status=none

answer=$("$source_bin" --inspect disk.img)
expect "$answer" '^format  *raw$'
expect "$answer" '^virtual size  *10485760 bytes'
expect "$answer" '^data  *4096 bytes'
# ceil(10 MiB * 1.055), the controller's own arithmetic
expect "$answer" '^filesystem volume  *11062477 bytes'
expect "$answer" '^block volume  *10485760 bytes'

answer=$("$source_bin" --inspect --json --fs-overhead 0.06 disk.img)
[ "$(jq .zero_bytes <<<"$answer")" = 10481664 ] || fail "$answer"
[ "$(jq .file_volume_bytes <<<"$answer")" = 11114906 ] || fail "$answer"

# What a container takes, whatever is inside.
qemu-img convert -O qcow2 disk.img disk.qcow2
gzip -c disk.qcow2 >disk.qcow2.gz
answer=$("$source_bin" --inspect --json disk.qcow2.gz 2>/dev/null)
[ "$(jq .allocated_bytes <<<"$answer")" = "$(stat -c %s disk.qcow2.gz)" ] ||
    fail "$answer"

answer=$("$target_bin" --plan --source-size 10MiB new.img)
expect "$answer" '^fits  *yes$'
[ ! -e new.img ] || fail "--plan made a file"
[ -z "$(find . -name '.*.clonewire-*')" ] || fail "--plan left a partial"

status=0
answer=$("$target_bin" --plan --json --source-size 1PiB new.img 2>err) ||
    status=$?
[ $status = 10 ] || fail "status $status for a disk that does not fit"
[ "$(jq .fits <<<"$answer")" = false ] || fail "$answer"
need=$(jq .need_bytes <<<"$answer") have=$(jq .have_bytes <<<"$answer")
[ $((need - have)) = "$(jq .shortfall_bytes <<<"$answer")" ] || fail "$answer"
expect "$(cat err)" 'does not fit: needs'

status=0
"$target_bin" --plan new.img 2>err || status=$?
[ $status = 2 ] || fail "status $status for a plan of a disk without a size"
expect "$(cat err)" '--plan needs --source-size'

status=0
"$source_bin" disk.img 2>err || status=$?
[ $status = 2 ] || fail "status $status without HOST:PORT"
expect "$(cat err)" 'HOST:PORT (CLONEWIRE_TARGET) is missing'
