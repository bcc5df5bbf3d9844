#!/bin/bash
# The Debian package installs programs, manuals, completions and documents in a
# system of its own, runs there, and leaves no file after its removal.  The
# library and what is built with it are packages of their own.
. "$(dirname "$0")/lib.sh"
require cpack dpkg-deb dpkg-shlibdeps
require_plain_build "a package of instrumented programs"

cpack --config "$CW_BUILD/CPackConfig.cmake" -B "$WORK" >cpack.out 2>&1 ||
    fail "cpack: $(cat cpack.out)"
rm -rf _CPack_Packages
package=$(ls clonewire_*.deb)
dpkg-deb -f "$package" >fields
grep -qx 'Package: clonewire' fields || fail "$(cat fields)"
for library in libssl3 liburing2 libxxhash0 libqcow1 libblkid1; do
    grep -qE "^Depends: .*\\b$library\\b" fields || fail "no need of $library"
done
dpkg-deb -x "$package" content
find content -type f | sed 's,^content,,' | sort >files
for file in bin/clonewire-{source,target} bin/cdi-{cloner,uploadserver} \
    share/man/man1/clonewire-{source,target}.1 \
    share/bash-completion/completions/clonewire-{source,target} \
    share/zsh/vendor-completions/_clonewire-{source,target} \
    share/fish/vendor_completions.d/clonewire-{source,target}.fish \
    share/doc/clonewire/{README.md,copyright,docs/{operations,cdi}.md}; do
    grep -qx "/usr/$file" files || fail "not in the package: $file"
done
! grep -vE '^/usr/(bin|share)/' files || fail "files in places of others"
[ -z "$(find content -perm /6022 ! -type l)" ] || fail "permissions"

for package_of in libclonewire0.1:/usr/lib/libclonewire.so.0.1 \
    libclonewire-dev:/usr/include/clonewire/clonewire.h \
    libclonewire-dev:/usr/lib/libclonewire.a \
    libclonewire-dev:/usr/lib/libclonewire.so \
    libclonewire-dev:/usr/lib/pkgconfig/clonewire.pc \
    libclonewire-dev:/usr/share/doc/clonewire/examples/send.c; do
    dpkg-deb -c "${package_of%%:*}"_*.deb >list
    sed 's/ -> .*//' list | grep -qE " \.${package_of#*:}\$" ||
        fail "not there: $package_of: $(cat list)"
done
dpkg-deb -f libclonewire-dev_*.deb Depends | grep -qx 'libclonewire0.1 (= .*)' ||
    fail "libclonewire-dev: $(dpkg-deb -f libclonewire-dev_*.deb Depends)"
dpkg-deb -f libclonewire0.1_*.deb Depends | grep -q libssl3 ||
    fail "libclonewire0.1: $(dpkg-deb -f libclonewire0.1_*.deb Depends)"

# A system that is ours: this one below, and what is changed above it.
[ "$(id -u)" = 0 ] || skip "installing needs root; the package is good"
mkdir system above work
if ! mount -t tmpfs tmpfs above 2>mount.err; then
    skip "no mounts here ($(cat mount.err)); the package is good"
fi
at_exit umount "$WORK/above"
mkdir above/upper above/work
mount -t overlay overlay system 2>mount.err \
    -o "lowerdir=/,upperdir=$WORK/above/upper,workdir=$WORK/above/work" ||
    skip "no overlay here ($(cat mount.err)); the package is good"
at_exit umount "$WORK/system"

in_system() { chroot "$WORK/system" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

installed()
{
    find above/upper ! -type d \
        \( -iname '*clonewire*' -o -path '*clonewire/*' -o -name 'cdi-*' \)
}

cp "$package" system/tmp/
in_system dpkg -i "/tmp/$package" >dpkg.out 2>&1 || fail "$(cat dpkg.out)"
rm "system/tmp/$package"
version=$(sed -n 's/^Version: //p' fields)
for side in source target; do
    assert_equal "$(in_system clonewire-$side --version)" \
        "clonewire-$side $version" "an installed program"
done
for program in cdi-cloner cdi-uploadserver; do
    assert_equal "$(in_system $program --version)" \
        "$program (clonewire) $version" "an installed program"
    in_system $program --help | grep -q "^Usage: $program" ||
        fail "$program has no help"
done
truncate -s 1M system/tmp/disk
in_system clonewire-source /tmp/disk --to /tmp/copy >/dev/null
cmp system/tmp/disk system/tmp/copy
rm system/tmp/disk system/tmp/copy
[ "$(installed | wc -l)" -ge "$(wc -l <files)" ] || fail "$(installed)"
in_system dpkg --purge clonewire >dpkg.out 2>&1 || fail "$(cat dpkg.out)"
# What overlayfs keeps of a removed file is a character device, 0:0.
left=$(installed | while read -r file; do [ -c "$file" ] || echo "$file"; done)
assert_equal "$left" "" "left behind"
