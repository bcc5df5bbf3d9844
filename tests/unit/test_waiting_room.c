/* Silent clients wait without a thread, and do not keep out others. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/waiting_room.h"
#include "unit.h"

/* A handshake record of 3 bytes. */
static const uint8_t record[] = { 22, 3, 1, 0, 3, 'a', 'b', 'c' };

static struct pollfd fds[WAITING_ROOM_SEATS];
static struct waiting_room room;
static int listener;

static int begin(void **state)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    struct rlimit files;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&any, sizeof(any)),
                     0);
    assert_int_equal(listen(listener, SOMAXCONN), 0);
    waiting_room_open(&room, fds);
    return 0;
}

static int end(void **state)
{
    (void)state;
    waiting_room_close(&room);
    assert_int_equal(room.count, 0);
    close(listener);
    return 0;
}

/* A connection from an address, and into the room.  Returns its client. */
static int arrive(const char *from, int *accepted)
{
    struct sockaddr_in sa = { .sin_family = AF_INET };
    socklen_t len = sizeof(sa);
    int client = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, from, &sa.sin_addr);
    assert_int_equal(bind(client, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    inet_pton(AF_INET, "127.0.0.1", &sa.sin_addr);
    assert_int_equal(connect(client, (struct sockaddr *)&sa, sizeof(sa)), 0);
    *accepted = accept(listener, NULL, NULL);
    assert_true(*accepted >= 0);
    waiting_room_add(&room, *accepted);
    return client;
}

static int look(int timeout_ms)
{
    poll(fds, room.count, timeout_ms);
    return waiting_room_take(&room);
}

static void test_record_in_parts(void **state)
{
    char in[sizeof(record)];
    int fd;
    int client = arrive("127.0.0.1", &fd);

    (void)state;
    assert_in_range(waiting_room_timeout_ms(&room), 1, 2000);
    assert_int_equal(look(0), -1);
    for (size_t i = 0; i < sizeof(record); i++) {
        assert_int_equal(send(client, record + i, 1, 0), 1);
        if (i + 1 < sizeof(record))
            assert_int_equal(look(20), -1);
    }
    assert_int_equal(look(10000), fd);
    assert_int_equal(room.count, 0);
    assert_int_equal(waiting_room_timeout_ms(&room), -1);
    /* All is still there to be read, byte by byte. */
    assert_int_equal(recv(fd, in, 1, 0), 1);
    assert_int_equal(recv(fd, in, sizeof(in), 0), sizeof(in) - 1);
    close(fd);
    close(client);
}

/* Bytes that are not TLS are handed on at once. */
static void test_no_tls(void **state)
{
    int fd;
    int client = arrive("127.0.0.1", &fd);

    (void)state;
    assert_int_equal(send(client, "GET ", 4, 0), 4);
    assert_int_equal(look(10000), fd);
    close(fd);
    close(client);
}

static void test_leaves(void **state)
{
    int fd;

    (void)state;
    close(arrive("127.0.0.1", &fd)); /* without a word, */
    assert_int_equal(look(10000), -1);
    assert_int_equal(room.count, 0);
    {
        int client = arrive("127.0.0.1", &fd); /* and in the middle of one */

        assert_int_equal(send(client, record, 6, 0), 6);
        close(client);
    }
    for (int i = 0; i < 100 && room.count > 0; i++)
        assert_int_equal(look(100), -1);
    assert_int_equal(room.count, 0);
}

static void test_overdue(void **state)
{
    int fd;
    int client = arrive("127.0.0.1", &fd);

    (void)state;
    room.clients[0].since_ns -= WAITING_ROOM_SILENT_NS;
    assert_int_equal(waiting_room_timeout_ms(&room), 0);
    assert_int_equal(look(0), -1);
    assert_int_equal(room.count, 0);
    close(client);
}

/* A flood from one address drives out only its own connections. */
static void test_flood(void **state)
{
    int clients[WAITING_ROOM_SEATS + 100];
    int other, fd;
    int client = arrive("127.0.0.9", &other);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = arrive("127.0.0.2", &fd);
    assert_int_equal(room.count, WAITING_ROOM_SEATS);
    assert_int_equal(send(client, record, sizeof(record), 0), sizeof(record));
    assert_int_equal(look(10000), other);
    close(other);
    close(client);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        close(clients[i]);
}

/* The peer of a session keeps its place in a crowd of many addresses. */
static void test_favoured(void **state)
{
    static int clients[WAITING_ROOM_SEATS + 1];
    unsigned n = 0, kept = 0;
    char address[16];
    int fd = -1;

    (void)state;
    for (; n < WAITING_ROOM_RESERVED; n++)
        clients[n] = arrive("127.0.0.1", &fd);
    room.favoured = waiting_room_address(fd);
    for (; n < WAITING_ROOM_SEATS; n++) {
        snprintf(address, sizeof(address), "127.0.1.%u", 1 + n % 200);
        clients[n] = arrive(address, &fd);
    }
    clients[n] = arrive("127.0.0.2", &fd);
    for (unsigned i = 0; i < room.count; i++)
        kept += room.clients[i].address == room.favoured;
    assert_int_equal(kept, WAITING_ROOM_RESERVED);
    for (unsigned i = 0; i <= n; i++)
        close(clients[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_record_in_parts, begin, end),
        cmocka_unit_test_setup_teardown(test_no_tls, begin, end),
        cmocka_unit_test_setup_teardown(test_leaves, begin, end),
        cmocka_unit_test_setup_teardown(test_overdue, begin, end),
        cmocka_unit_test_setup_teardown(test_flood, begin, end),
        cmocka_unit_test_setup_teardown(test_favoured, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
