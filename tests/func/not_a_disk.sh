#!/bin/bash
# Data that is not a disk image is refused with the name of its format, however
# it is compressed and sent. --format=raw copies it.
. "$(dirname "$0")/lib.sh"
. "$TESTS/func/lib_cdi.sh"
require qemu-img zstd lz4 xz gzip bzip2 zip tar
SAMPLES=$TESTS/fuzz/corpus/probe

make_dense image 300032
head -c 300032 < <(yes 'a disk of text') >text

zstd -q text -o plain.zst
{ printf 'P*M\x18\4\0\0\0abcd'; cat plain.zst; } >skippable.zst
lz4 -q text plain.lz4
lz4 -q -l text legacy.lz4
{ printf 'Q*M\x18\4\0\0\0abcd'; cat plain.lz4; } >skippable.lz4
xz -k --format=lzma text
bzip2 -k text
zip -q plain.zip text
zip -q -0 -s 64k spanned.zip image
tar --format=v7 -cf v7.tar text
tar --format=posix -cf posix.tar text
qemu-img convert -O vmdk -o subformat=monolithicFlat image disk.vmdk
# Kinds that nothing here writes: the first and the last sector of one.
for kind in lzip lzop cpio-newc vma android-sparse rbd-export e01; do
    { cat "$SAMPLES/$kind"; cat image; } >"$kind.sample"
done
cat "$SAMPLES/html" >page.html
{ cat image; tail -c 512 "$SAMPLES/dmg"; } >disk.dmg

refused() # FILE NAME [OPTION...]
{
    SOURCE_STATUS=0
    "$SOURCE" "$1" --to copy "${@:3}" -q >source.out 2>source.log ||
        SOURCE_STATUS=$?
    assert_status source 13
    assert_log source "like $2.*--format=raw"
    [ ! -e copy ] || fail "$1 was copied"
}

while read -r file name; do
    refused "$file" "$name"
    [ "$file" != disk.dmg ] || continue # known by its end: below
    gzip -c "$file" >packed.gz
    xz -c -0 "$file" >packed.xz
    refused packed.gz "$name inside a compressed file"
    refused packed.xz "$name inside a compressed file"
done <<END
skippable.zst zstd
plain.zst zstd
plain.lz4 lz4
legacy.lz4 lz4 .legacy.
skippable.lz4 lz4
text.lzma lzma
text.bz2 bzip2
plain.zip zip
spanned.z01 zip .spanned.
v7.tar tar
posix.tar tar .OVA.
disk.vmdk VMDK descriptor
lzip.sample lzip
lzop.sample lzop
cpio-newc.sample cpio
vma.sample Proxmox VMA
android-sparse.sample Android sparse
rbd-export.sample rbd export
e01.sample E01 .EWF.
page.html HTML
disk.dmg DMG
END

# By its end also in one pass, once that has come.
gzip -c disk.dmg >dmg.gz
refused dmg.gz DMG
size=$(stat -c %s disk.dmg)
refused - DMG --size "$size" <disk.dmg
refused - DMG --size "$size" < <(cat disk.dmg)

# Who says raw gets the bytes.
for file in v7.tar disk.dmg page.html; do
    "$SOURCE" $file --to copy --format=raw -q
    truncate -s %512 $file
    cmp $file copy
    rm copy
done

# By HTTP, too; zstd is unpacked there, whatever stands in front of it.
mkdir data
start_server data/disk.img
while read -r file name; do
    upload "$file"
    assert_answer 500 "like $name"
    [ ! -e data/disk.img ] || fail "$file was taken for a disk"
    gzip -c "$file" >packed.gz
    upload packed.gz
    assert_answer 500 "like $name"
done <<END
legacy.lz4 lz4 (legacy)
skippable.lz4 lz4
v7.tar tar
spanned.z01 zip (spanned)
page.html HTML
disk.dmg DMG
END
upload skippable.zst
assert_answer 200
wait_success "Upload Complete"
cmp text data/disk.img
