#!/bin/bash
# The Containerfile makes an image under 27 MB, for a user without rights,
# in which both programs start.  The other tests of pods run what it made.
. "$(dirname "$0")/lib_pods.sh"
require_podman
require buildah

# A registry is asked for nothing: who has none can make the base here.
podman image exists "$BASE" || {
    require mmdebstrap
    "$TESTS/pods/make-base" "$BASE" >base.log 2>&1 ||
        skip "no $BASE here, and none can be made: $(tail -n 1 base.log)"
}
LONGEST=600
buildah bud --isolation chroot --network host --pull-never -t "$IMAGE" \
    "$TESTS/.." >build.log 2>&1 || {
    ! grep -qE 'Temporary failure resolving|Unable to fetch' build.log ||
        skip "no packages can be fetched for the build"
    fail "buildah: $(tail -n 5 build.log)"
}

bytes=$(podman image inspect -f '{{.Size}}' "$IMAGE")
[ "$bytes" -lt 27000000 ] || fail "the image has $bytes bytes"
assert_equal "$(podman image inspect -f '{{.User}}' "$IMAGE")" 107:107 user
podman image inspect -f '{{json .Labels}}' "$IMAGE" |
    grep -q '"org.opencontainers.image.licenses":"Apache-2.0"' ||
    fail "no labels"
require_image
for program in clonewire-source clonewire-target; do
    podman run --rm --network none --read-only --cap-drop all \
        --security-opt no-new-privileges "$IMAGE" $program --version |
        grep -q "^$program " || fail "$program does not start"
done
# What scanners read: the package of each library, with its version.
id=$(podman create "$IMAGE")
at_exit podman rm -f "$id"
podman cp "$id:/" content
[ "$(cat content/var/lib/dpkg/status.d/* | grep -c '^Version: ')" -ge 15 ] ||
    fail "$(ls content/var/lib/dpkg/status.d)"
for package in libc6 libssl3 libarchive13 libqcow1; do
    grep -qx "Package: $package" "content/var/lib/dpkg/status.d/$package" ||
        fail "no $package in the list of packages"
done
# The stand-ins for CDI's images: their entry points, and a shell in one.
for image in cdi-uploadserver cdi-cloner; do
    buildah bud --isolation chroot --network host --pull-never --layers \
        --target $image -t "$IMAGE-$image" "$TESTS/.." >build.log 2>&1 ||
        fail "buildah: $(tail -n 5 build.log)"
    podman run --rm --network none --read-only --cap-drop all --user 107 \
        --security-opt no-new-privileges "$IMAGE-$image" --version |
        grep -q "^$image " || fail "$image does not start"
    assert_equal "$(podman image inspect -f '{{.User}}' "$IMAGE-$image")" 1001 \
        "user of $image"
done
assert_equal "$(podman image inspect -f '{{.Config.Entrypoint}}' \
    "$IMAGE-cdi-uploadserver")" \
    "[/usr/bin/cdi-uploadserver -alsologtostderr]" "entry point"
assert_equal "$(podman image inspect \
    -f '{{.Config.Entrypoint}} {{.Config.WorkingDir}}' "$IMAGE-cdi-cloner")" \
    "[/usr/bin/cloner_startup.sh] /home/cdi-cloner" "entry point"
# CDI's tests end a pod by its shell: process 1 gets SIGTERM.
for image in cdi-uploadserver cdi-cloner; do
    STATUS=0
    podman run --rm --network none --read-only --cap-drop all --user 107 \
        --entrypoint /bin/sh "$IMAGE-$image" \
        -c 'trap "exit 42" TERM; kill 1; exit 1' || STATUS=$?
    assert_equal "$STATUS" 42 "status after kill 1 in $image"
done
prepare() # IMAGE: as CDI's controller does
{
    podman run --rm --network none --read-only --cap-drop all --user 107 \
        --entrypoint /bin/bash "$1" -c echo 'hello cdi'
}
assert_equal "$(prepare "$IMAGE-cdi-cloner")" "" "the prep pod"
prepare "$IMAGE-cdi-cloner" >/dev/null || fail "the prep pod: status $?"
buildah bud --isolation chroot --network host --pull-never --layers \
    --target cdi-cloner --build-arg CLONER_SHELL= -t "$IMAGE-no-shell" \
    "$TESTS/.." >build.log 2>&1 || fail "buildah: $(tail -n 5 build.log)"
at_exit podman rmi -f "$IMAGE-no-shell"
! prepare "$IMAGE-no-shell" >/dev/null 2>&1 || fail "there is a shell"
! podman run --rm --network none "$IMAGE" /bin/sh -c true 2>/dev/null ||
    fail "there is a shell"
echo "image: $bytes bytes"
