# shellcheck shell=bash
# lib_nbd.sh - NBD servers for the tests of NBD sources.
#
#   serve_nbd COMMAND...   a server on the Unix socket nbd.sock: NBD_PID
#   stop_nbd               kills it
#   serve_storage IMAGE    qemu-storage-daemon, IMAGE (qcow2) writable as "guest"
#   qmp JSON...            tells it to do something; fails the test on an error

NBD_SOCKET=$WORK/nbd.sock
NBD_URI="nbd+unix:///disk?socket=$NBD_SOCKET"

# COMMAND has its own option to listen on $NBD_SOCKET.
serve_nbd()
{
    local deadline=$((SECONDS + LONGEST))

    rm -f "$NBD_SOCKET"
    "$@" >nbd.log 2>&1 &
    NBD_PID=$!
    at_exit stop_process "$NBD_PID"
    wait_exists "$NBD_SOCKET" "$NBD_PID" ||
        fail "no NBD server: $(cat nbd.log)"
    # It is there a moment before the server listens on it.
    until ss -Hxl | grep -qF "$NBD_SOCKET "; do
        is_running "$NBD_PID" && [ $SECONDS -le $deadline ] ||
            fail "no NBD server: $(cat nbd.log)"
        sleep 0.02
    done
}

stop_nbd()
{
    stop_process "$NBD_PID"
}

# Any number of readers, as a server for several lanes.
serve_image() # FILE FORMAT [OPTION...]
{
    serve_nbd qemu-nbd -r -t -e 0 -k "$NBD_SOCKET" -x disk -f "$2" "${@:3}" "$1"
}

serve_storage()
{
    require qemu-storage-daemon python3
    serve_nbd qemu-storage-daemon \
        --chardev "socket,id=c,path=$WORK/qmp.sock,server=on,wait=off" \
        --monitor c --blockdev "file,node-name=f,filename=$1" \
        --blockdev qcow2,node-name=disk,file=f \
        --nbd-server "addr.type=unix,addr.path=$NBD_SOCKET" \
        --export nbd,id=guest,node-name=disk,name=guest,writable=on
}

qmp()
{
    python3 "$TESTS/tools/qmp.py" "$WORK/qmp.sock" "$@" >>qmp.log ||
        fail "qmp: $(tail -n 1 qmp.log)"
}
