#!/bin/bash
# Each variable that CDI's controller may set, and each of clonewire's, is in
# --help and in docs/cdi.md, and an invalid value is logged. TLS 1.2 works with
# a server that has nothing newer.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"

for program in "$CLONER" "$UPLOADSERVER"; do
    name=${program##*/}
    for option in --help -help -h; do
        "$program" $option >help || fail "$name $option: status $?"
        grep -q "^Usage: $name" help || fail "$name $option: $(cat help)"
    done
    sed -nE 's/^  ([A-Z_0-9]+) .*/\1/p' help >variables
    [ "$(wc -l <variables)" -ge 13 ] || fail "$name: few variables"
    while read -r variable; do
        grep -qF "\`$variable\`" "$TESTS/../docs/cdi.md" ||
            fail "docs/cdi.md does not tell of $variable"
        # It is a setting: the program holds the word twice or more often.
        grep -qaF "$variable" "$program" || fail "$name: no $variable"
    done <variables
    assert_equal "$("$program" --version | cut -d ' ' -f 1,2)" \
        "$name (clonewire)" version
done

doubts() # SIDE NAME...
{
    local side=$1 name

    for name in "${@:2}"; do
        assert_log "$side" "$name: cannot read \"odd\": "
    done
    assert_equal "$(grep -c 'cannot read "odd"' "$side.log")" $(($# - 1)) doubts
}

# All that is odd at once: each is told, and the upload goes well.
mkdir data
put_noise image 0 $MIB
odd=(FILESYSTEM_OVERHEAD UPLOAD_IMAGE_SIZE PREALLOCATION
    CLONEWIRE_STALL_TIMEOUT)
server_env "${odd[@]/%/=odd}"
start_server data/disk.img
upload image
assert_answer 200
wait_success "Upload Complete"
doubts target "${odd[@]}"

odd=(PREALLOCATION CLONEWIRE_ALLOW_TLS12 CLONEWIRE_HTTP_ONLY
    CLONEWIRE_ALLOW_IN_USE CLONEWIRE_CONNECT_TIMEOUT CLONEWIRE_RETRY_FOR
    CLONEWIRE_STALL_TIMEOUT)
cloner_env "${odd[@]/%/=odd}"
start_http_server
run_cloner block "$PWD/image" -upload-bytes odd
assert_complete
assert_body image
doubts source "${odd[@]}" -upload-bytes
CLONER_ENV=()

# TLS 1.2 and nothing else, as of a server that FIPS holds to it.
start_http_server --tls12
run_cloner block "$PWD/image"
assert_complete
assert_body image
assert_log source 'trying TLS 1.2'
assert_log source 'connected to .* TLSv1.2 .* by http/1.1'

# Not if it is told not to; and 1.3 wherever there is that.
start_http_server --tls12
cloner_env CLONEWIRE_ALLOW_TLS12=false
run_cloner block "$PWD/image"
assert_failed 'speaks no TLS version that we allow \(1.3 only\)'
stop_process "$SERVER_PID"
CLONER_ENV=()
start_http_server
run_cloner block "$PWD/image"
assert_complete
assert_log source 'connected to .* TLSv1.3 '
refute_log source 'trying TLS'
