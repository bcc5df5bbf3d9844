#!/bin/bash
# An invalid option ends both programs with status 2 and a line with the
# option, its value and the accepted values. --help and --version print to
# stdout.
. "$(dirname "$0")/lib.sh"

refused() # REGEX ARGUMENT...
{
    local regex=$1 status=0

    shift
    timeout 10 "$program" "$@" >words.out 2>words.log || status=$?
    assert_equal $status 2 "status of ${program##*/} $*"
    assert_log words "$regex"
    [ ! -s words.out ] || fail "an error on stdout"
}

both() # ARGUMENT...: every one that the program must have
{
    refused '--lanes.*"0".*1.*64' --lanes=0 "$@"
    refused '--lanes.*"many"' --lanes=many "$@"
    refused '--io-engine.*"fast".*auto.*uring.*threads' --io-engine=fast "$@"
    refused '--tls-min-version.*"1\.1"' --tls-min-version=1.1 "$@"
    refused '--dead-peer-timeout.*"soon"' --dead-peer-timeout=soon "$@"
    refused 'no-such-option' --no-such-option "$@"
    refused 'one argument too many: "more"' "$@" more
    refused 'is missing' --quiet
    refused 'no key file' --cert="$CERTS/source.crt" --ca="$CERTS/ca.crt" "$@"
    CLONEWIRE_LANES=none refused 'CLONEWIRE_LANES.*"none"' "$@"

    "$program" --version | grep -xE "${program##*/} [0-9]+(\.[0-9]+)+" \
        >words.out || fail "${program##*/} --version"
    "$program" --help | grep -E -- '^ +--io-engine=' >/dev/null ||
        fail "${program##*/} --help does not tell of --io-engine"
}

: >image
program=$SOURCE
both image 127.0.0.1:1
refused 'certificate.*pre-shared key.*pairing code' image 127.0.0.1:1
refused '"127.0.0.1:http"|port' --cert="$CERTS/source.crt" \
    --key="$CERTS/source.key" --ca="$CERTS/ca.crt" image 127.0.0.1:http

# The likeliest mistakes get an answer that says what to do.
refused '--via ssh' image root@host:/dev/vg/disk
refused '--to DEST' image ./copy
refused '--to DEST' image image
refused 'IMAGE comes first' 127.0.0.1:1 image
refused 'IMAGE comes first' cw1-aaaa@127.0.0.1:1 image

# An option that would be ignored is refused.
refused '--rate has no effect with --to' image --to copy --rate=1MiB
refused '--via has no effect with --to' image --to copy --via=ssh
refused '--json has no effect here: .*--map' image 127.0.0.1:1 --json
refused '--overwrite has no effect here' image 127.0.0.1:1 --overwrite
program=$TARGET
refused '--json has no effect here: .*--plan' disk --json
both disk
refused '--fs-overhead.*"1\.2"' --fs-overhead=1.2 disk
refused '--preallocate.*"half".*off.*falloc.*full' --preallocate=half disk
refused '--size.*"big"' --size=big disk
