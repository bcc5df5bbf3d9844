#!/bin/bash
# The installed tree is all that a program needs to embed clonewire: each
# example is built against it by CMake and by pkg-config, with the shared and
# the static library, and clones.
. "$(dirname "$0")/lib.sh"
require cmake cc pkg-config
require_plain_build "a library that wants a sanitizer's run-time"

DESTDIR=$WORK/tree cmake --install "$CW_BUILD" --prefix /usr >install.out ||
    fail "cmake --install"
usr=$WORK/tree/usr
for path in include/clonewire/clonewire.h share/doc/clonewire/examples/send.c; do
    [ -f "$usr/$path" ] || fail "not installed: $path"
done
library=$(find "$usr" -name libclonewire.so)
export PKG_CONFIG_PATH=${library%/*}/pkgconfig LD_LIBRARY_PATH=${library%/*}
readelf -d "$library" | grep -qF 'soname: [libclonewire.so.0.1]' ||
    fail "no soname: $(readelf -d "$library" | grep -i soname)"

examples=$usr/share/doc/clonewire/examples
mkdir shared static
pkg-config --exact-version="$("$SOURCE" --version | cut -d ' ' -f 2)" clonewire ||
    fail "clonewire.pc has version $(pkg-config --modversion clonewire)"
for name in inspect receive send; do
    # shellcheck disable=SC2046 # words on purpose
    cc -Wall -Wextra -Werror -o shared/$name "$examples/$name.c" \
        $(pkg-config --cflags --libs clonewire) || fail "$name, shared"
    # shellcheck disable=SC2046
    cc -o static/$name "$examples/$name.c" $(pkg-config --cflags clonewire) \
        $(pkg-config --static --libs clonewire |
            sed "s,-lclonewire,${library%.so}.a,") || fail "$name, static"
    ! readelf -d static/$name | grep -F libclonewire ||
        fail "static/$name loads the shared library"
done
cmake -S "$examples" -B by-cmake -DCMAKE_PREFIX_PATH="$usr" >cmake.log 2>&1 &&
    cmake --build by-cmake >>cmake.log 2>&1 || fail "find_package(clonewire)"

make_dense image $((3 * MIB))
truncate -s $((64 * MIB)) image
clone_by() # DIRECTORY
{
    local receiver code deadline=$((SECONDS + LONGEST))

    "$1/inspect" image >inspect.out || fail "$1/inspect"
    grep -qx "raw: $((64 * MIB)) bytes, $((3 * MIB)) of them data" inspect.out ||
        fail "$1/inspect: $(cat inspect.out)"
    rm -f copy
    "$1/receive" copy 127.0.0.1:0 >offer 2>receive.log &
    receiver=$!
    at_exit stop_process $receiver
    until code=$(grep '^cw1-.*@' offer); do
        is_running $receiver || fail "$1/receive offers no code"
        [ $SECONDS -le $deadline ] || fail "$1/receive is silent"
        sleep 0.02
    done
    "$1/send" image "$code" >send.out 2>send.log || fail "$1/send: status $?"
    wait_process $receiver receive || fail "$1/receive: status $?"
    cmp image copy
    assert_equal "$(grep -o 'xxh3.*' receive.log)" "$(grep -o 'xxh3.*' send.out)" \
        "digests"
}
clone_by shared
clone_by static
clone_by by-cmake

# A failure is the one that the programs end with.
status=0 wanted=0
"$SOURCE" --inspect nothing 2>source.log || wanted=$?
shared/inspect nothing 2>inspect.log || status=$?
assert_equal "$status $(grep -c nothing inspect.log)" "$wanted 1" \
    "a missing image"
