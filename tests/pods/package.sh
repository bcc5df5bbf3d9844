#!/bin/bash
# The Debian package that ./dev makes, on a bare Debian 12: apt finds everything it needs, the
# programs clone, their manuals and completions are there, and when it is
# gone, so is all that came with it.
. "$(dirname "$0")/lib_pods.sh"
require_podman
require cpack dpkg-shlibdeps
require_image

"$CW_SOURCE_DIR/dev" package >build.log 2>&1 || fail "./dev package"
! grep -E 'warning:' build.log || fail "the compiler complains"
mkdir package
cp "$CW_SOURCE_DIR/$(grep '^build/clonewire_.*\.deb$' build.log)" package/

cat >package/try <<'END'
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
rm -f /etc/dpkg/dpkg.cfg.d/* # a slim image leaves manuals out
apt-get -qq update >/dev/null || exit 77

# What a running system writes by itself is not counted.
everything()
{
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o \
        -path /run -o -path /var/cache -o -path /var/log -o -path /var/lib -o \
        -path /package -o -name __pycache__ \) -prune -o -print | sort
}
everything >/tmp/before
apt-get -qq install -y --no-install-recommends /package/clonewire_*.deb \
    >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }
everything >/tmp/installed

for program in clonewire-source clonewire-target; do
    $program --version
    gunzip -cf /usr/share/man/man1/$program.1* | grep -q '^\.SH EXAMPLES$'
    # What bash-completion loads when it is first needed.
    . /usr/share/bash-completion/completions/$program
    complete -p $program >/dev/null
    test -s /usr/share/zsh/vendor-completions/_$program
    test -s /usr/share/fish/vendor_completions.d/$program.fish
done

# Two ordinary users, and one paste.
cd /tmp
head -c 3M /dev/urandom >disk
truncate -s 64M disk
chmod 644 disk
mkdir -m 777 there
setpriv --reuid 65534 --clear-groups clonewire-target --listen 127.0.0.1:0 \
    there/disk >offer 2>target.log &
for i in $(seq 600); do
    code=$(grep -o 'cw1-.*' offer) && break
    sleep 0.1
done
setpriv --reuid 65533 --clear-groups clonewire-source disk "$code" 2>source.log
wait $!
cmp disk there/disk
rm -rf disk there offer

apt-get -qq purge -y clonewire >/tmp/apt.log 2>&1
apt-get -qq autoremove --purge -y >>/tmp/apt.log 2>&1
everything >/tmp/after
diff /tmp/before /tmp/after
END

status=0
timeout 240 podman run --rm --network host --volume "$WORK/package:/package:ro" "$BASE" \
    bash /package/try >try.log 2>&1 || status=$?
[ $status != 77 ] || skip "no packages can be fetched: $(tail -n 1 try.log)"
[ $status = 0 ] || fail "in the container: status $status"
for program in clonewire-source clonewire-target; do
    grep -qE "^$program [0-9.]+$" try.log || fail "$program did not start"
done
