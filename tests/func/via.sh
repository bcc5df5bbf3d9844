#!/bin/bash
# --via ssh starts the target on the other machine, and the clone goes there
# directly or through a forwarded port. A failure there gives its status here.
# The commands in the documents run, too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_examples.sh"
require ssh ssh-keygen dropbear dropbearkey unshare
require_root "a daemon of ssh"

truncate -s 12M image
put_noise image $((3 * MIB)) $((2 * MIB))

# A daemon of our own, with keys of its own, on a port of its own.  It finds
# root's keys by /etc/passwd: in its own mounts that is ours.
ssh-keygen -q -t ed25519 -N '' -f user_key
dropbearkey -t ed25519 -f host_key >dropbearkey.log 2>&1
mkdir -p home/.ssh
cp user_key.pub home/.ssh/authorized_keys
chmod -R go= home
sed "s,^root:.*,root:x:0:0::$WORK/home:/bin/sh," /etc/passwd >passwd
printf '%s\n' "#!/bin/sh" "mount --bind '$WORK/passwd' /etc/passwd || exit" \
    "exec dropbear -F -E -m -s -e -r '$WORK/host_key' -P '$WORK/sshd.pid' \
        -p \"127.0.0.1:\$1\" \
        -c 'PATH=\"$CW_BUILD/cmd:\$PATH\"; eval \"\$SSH_ORIGINAL_COMMAND\"'" \
    >start_sshd
port=$(own_port)
cat >ssh.conf <<END
Host *
    Port $port
    IdentityFile $WORK/user_key
    IdentitiesOnly yes
    UserKnownHostsFile $WORK/known
    StrictHostKeyChecking accept-new
    LogLevel ERROR
END
unshare -m sh start_sshd "$port" 2>sshd.log &
SSHD=$!
at_exit stop_process $SSHD
until ssh -F ssh.conf root@127.0.0.1 true 2>ssh.log; do
    is_running $SSHD || skip "dropbear does not run here: $(cat sshd.log)"
    [ $SECONDS -lt $LONGEST ] || fail "no way in: $(cat ssh.log sshd.log)"
    sleep 0.1
done

via() # DEST [OPTION...]: SOURCE_STATUS
{
    SOURCE_STATUS=0
    timeout 60 "$SOURCE" image "root@127.0.0.1:$1" --via "ssh -F ssh.conf" \
        "${@:2}" >source.out 2>source.log </dev/null || SOURCE_STATUS=$?
}

nothing_left()
{
    for ((i = 0; i < 300; i++)); do
        pgrep -f "[c]lonewire-target.*$WORK" >/dev/null || return 0
        sleep 0.1
    done
    fail "a target still runs"
}

via "$WORK/copy one's"
assert_status source 0
cmp image "copy one's"
assert_log source "connected to 127.0.0.1:[0-9]+"

via "$WORK/tunnelled" --through-ssh --lanes 2
assert_status source 0
cmp image tunnelled
nothing_left

# As they are shown, with our daemon, places and disk.
mkdir -p dev/vg var/lib/vm
PATH=$CW_BUILD/cmd:$PATH every_example >commands
count=0
while read -r line; do
    case $line in *'--via ssh'*) ;; *) continue ;; esac
    command=$(sed -E "s,^[a-z]+ clonewire-source [^ ]+,'$SOURCE' image,
        s,@target\.example:,@127.0.0.1:$WORK,
        s,--via ssh,--via 'ssh -F ssh.conf'," <<<"$line")
    bash -c "$command" >out 2>source.log </dev/null ||
        fail "$line: $(tail -n 1 source.log)"
    copy=$(find dev var -type f)
    cmp image "$copy" || fail "$line: no copy"
    rm "$copy"
    count=$((count + 1))
done <commands
[ $count -ge 3 ] || fail "only $count examples of --via"

# What the target refuses, it refuses here: in words, with its status.
via "$WORK/tunnelled"
assert_status source 11
assert_log source 'tunnelled exists; --overwrite'
via "$WORK/tunnelled" --overwrite
assert_status source 0
via "$WORK/nowhere/copy"
assert_status source 2
nothing_left

# No such host, no such user, no such place.
SOURCE_STATUS=0
"$SOURCE" image nobody@127.0.0.1:copy --via "ssh -F ssh.conf -oBatchMode=yes" \
    >source.out 2>source.log || SOURCE_STATUS=$?
assert_status source 75
assert_log source 'cannot start the target on nobody@127.0.0.1'
SOURCE_STATUS=0
"$SOURCE" image no-place --via ssh 2>source.log || SOURCE_STATUS=$?
assert_status source 2
assert_log source '"no-place" is not USER@HOST:DEST'
SOURCE_STATUS=0
"$SOURCE" image host:copy --via no-such-command 2>source.log || SOURCE_STATUS=$?
assert_status source 2
assert_log source 'run no-such-command: No such file'

# What a login prints first, whatever it is, is not the target's.
cat >noisy_ssh <<END
#!/bin/sh
while [ "\${1#-}" != "\$1" ]; do shift; done
shift
printf '%b' "\$NOISE"
SSH_CONNECTION="127.0.0.1 1 127.0.0.1 22" PATH="$CW_BUILD/cmd:\$PATH" exec sh -c "\$*"
END
chmod +x noisy_ssh
page=$(head -c 20000 /dev/zero | tr '\0' '#')
for noise in "$page\\n" "$page" 'read cw1-howto first\n' 'cw1-' '\n\r\n'; do
    SOURCE_STATUS=0
    NOISE=$noise timeout $LONGEST "$SOURCE" image "there:$WORK/noisy.img" \
        --via "$WORK/noisy_ssh" >source.out 2>source.log || SOURCE_STATUS=$?
    assert_status source 0
    cmp image noisy.img
    rm noisy.img
done

# One that prints no end of it is not waited for without end.
printf '#!/bin/sh\nexec yes\n' >endless_ssh
chmod +x endless_ssh
SOURCE_STATUS=0
timeout $LONGEST "$SOURCE" image "there:$WORK/none.img" \
    --via "$WORK/endless_ssh" >source.out 2>source.log || SOURCE_STATUS=$?
assert_status source 21
assert_log source 'is not clonewire-target'
