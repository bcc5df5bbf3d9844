#!/bin/bash
# With a program at the other end that shares no code with ours: Go's HTTP and
# TLS, and snappy as CDI links it. A block volume goes there and comes back.
. "$(dirname "$0")/../func/lib.sh"
. "$TESTS/func/lib_cdi.sh"
. "$TESTS/func/lib_cloner.sh"
require go

env GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOTOOLCHAIN=local \
    GOCACHE="$CW_BUILD/tests/go-cache" \
    go build -o standin "$CW_SOURCE_DIR/bench/standin/main.go" 2>go.log ||
    skip "go cannot build here: $(tail -n 1 go.log)"
mkdir certs
ln -s "$CERTS/ca.crt" certs/ca-cert.pem
for suffix in crt:cert key:key; do
    ln -s "$CERTS/target.${suffix%:*}" "certs/server-${suffix#*:}.pem"
    ln -s "$CERTS/source.${suffix%:*}" "certs/client-${suffix#*:}.pem"
done
make_dense disk $((5 * MIB))
fallocate --punch-hole --offset $MIB --length $((2 * MIB)) disk

# Our source, by HTTP as clonewire/1 is not spoken there.
port=$(own_port)
./standin receive "$port" certs "$PWD/received" 2>receive.log &
RECEIVER=$!
at_exit stop_process $RECEIVER
SERVER_ADDRESS=127.0.0.1:$port
run_cloner block "$PWD/disk"
assert_complete
wait_process $RECEIVER receiver
cmp disk received

# Our server.
start_server "$PWD/disk.img"
./standin send "${TARGET_ADDRESS##*:}" certs "$PWD/disk" 2>send.log ||
    fail "standin: $(cat send.log)"
wait_success "Clone Complete"
cmp disk disk.img
