#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/resolver.h"
#include "unit.h"

static void test_literal(void **state)
{
    struct addr addr = { .host = "127.0.0.1", .port = "7" };
    struct addrinfo *list;
    struct error err;

    (void)state;
    assert_int_equal(resolver_find(&addr, 0, 0, &list, &err), 0);
    assert_int_equal(list->ai_family, AF_INET);
    freeaddrinfo(list);
}

static void test_is_literal(void **state)
{
    static const struct {
        const char *host;
        bool is_literal;
    } cases[] = {
        { "", true },           { "10.0.0.7", true },   { "::1", true },
        { "fe80::1%lo", true }, { "localhost", false }, { "10.0.0.7.x", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr addr = { .port = "1" };

        CASE(cases[i].host);
        memcpy(addr.host, cases[i].host, strlen(cases[i].host));
        assert_int_equal(addr_is_literal(&addr), cases[i].is_literal);
    }
}

static void test_name(void **state)
{
    struct addr addr = { .host = "localhost", .port = "7" };
    uint64_t deadline_ns = clock_now_ns() + 60 * CLOCK_SECOND_NS;
    struct addrinfo *list;
    struct error err;

    (void)state;
    assert_int_equal(resolver_find(&addr, 0, deadline_ns, &list, &err), 0);
    assert_non_null(list);
    freeaddrinfo(list);
}

/* Whatever the name server does: these return at once. */
static void test_gives_up(void **state)
{
    struct addr addr = { .host = "no-such-host.invalid", .port = "7" };
    int stop_fd = eventfd(1, EFD_CLOEXEC);
    struct addrinfo *list;
    struct error err;

    (void)state;
    assert_true(stop_fd > 0);
    assert_int_equal(resolver_find(&addr, stop_fd, UINT64_MAX, &list, &err),
                     -1);
    assert_int_equal(err.kind, ERROR_CANCELLED);
    assert_int_equal(resolver_find(&addr, 0, 0, &list, &err), -1);
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_non_null(strstr(err.text, "resolve no-such-host.invalid: "));
    close(stop_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literal),
        cmocka_unit_test(test_is_literal),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_gives_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
