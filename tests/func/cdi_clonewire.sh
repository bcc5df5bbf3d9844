#!/bin/bash
# clonewire-source clones to cdi-uploadserver over clonewire/1, with lanes and
# digests, on the port that also serves HTTP. The termination message is CDI's.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_cdi.sh"

mkdir data
make_sparse image $((64 * MIB))
server_env UPLOAD_IMAGE_SIZE=80Mi FILESYSTEM_OVERHEAD=0
start_server data/disk.img
run_source image
assert_status source 0
wait_success "Clone Complete"
cmp image data/disk.img # a clone does not grow
assert_equal "$(stat -c '%s %a' data/disk.img)" "$((64 * MIB)) 660" "the disk"

# After an upload that failed, and with another name it is turned away.
rm data/disk.img
start_server data/disk.img
printf 'QFI\xfb nonsense' >bad
upload bad
assert_answer 500
SOURCE_IDENTITY=()
read -ra SOURCE_IDENTITY < <(identity source-imposter)
run_source image --retry-for off
assert_status source 20
SOURCE_IDENTITY=()
run_source image
assert_status source 0
wait_success "Clone Complete"
