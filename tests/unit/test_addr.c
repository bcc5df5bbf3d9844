#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/addr.h"
#include "unit.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        const char *port;
    } cases[] = {
        { "host", "host", "8443" },
        { "host:1", "host", "1" },
        { "host:65535", "host", "65535" },
        { "host:08443", "host", "8443" },
        { "vm-7.ns.svc:9443", "vm-7.ns.svc", "9443" },
        { "10.0.0.7", "10.0.0.7", "8443" },
        { "10.0.0.7:9443", "10.0.0.7", "9443" },
        { "[::1]", "::1", "8443" },
        { "[::1]:9443", "::1", "9443" },
        { "::1", "::1", "8443" },
        { "fe80::1%eth0", "fe80::1%eth0", "8443" },
        { "[fe80::1%eth0]:5", "fe80::1%eth0", "5" },
        { ":9443", "", "9443" },
        { "9443", "", "9443" },
        { ":0", "", "0" },
        { "[::]:8443", "::", "8443" },
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr addr;

        CASE(cases[i].text);
        assert_int_equal(addr_parse(cases[i].text, &addr, &err), 0);
        assert_string_equal(addr.host, cases[i].host);
        assert_string_equal(addr.port, cases[i].port);
    }
}

static void test_parse_refuses(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "", "is empty" },
        { "host:", "port" },
        { "99999", "port" },
        { "host:65536", "port" },
        { "host:-1", "port" },
        { "host:1x", "port" },
        { "https://host", "port" },
        { "[::1", "without" },
        { "[::1]9443", "expected \":PORT\"" },
        { "[host]:1", "not an IPv6 address" },
        { "[]:1", "not an IPv6 address" },
        { "::1:g", "more than one" },
        { "a:b:c", "more than one" },
        { "my host", "not a host name" },
        { "user@host:1", "not a host name" },
    };
    char long_name[300];
    struct error err;
    struct addr addr;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].text);
        assert_int_equal(addr_parse(cases[i].text, &addr, &err), -1);
        assert_int_equal(err.kind, ERROR_USAGE);
        assert_non_null(strstr(err.text, cases[i].why));
        assert_non_null(strstr(err.text, cases[i].text));
    }
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(addr_parse(long_name, &addr, &err), -1);
    assert_non_null(strstr(err.text, "too long"));
}

static void test_resolve_and_format(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        { "127.0.0.1:5", "127.0.0.1:5" },
        { "[::1]:6", "[::1]:6" },
        { "[::ffff:10.0.0.7]:7", "10.0.0.7:7" },
    };
    struct error err;
    char buf[80];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addrinfo *list;
        struct addr addr;

        CASE(cases[i].text);
        assert_int_equal(addr_parse(cases[i].text, &addr, &err), 0);
        assert_int_equal(addr_resolve(&addr, false, &list, &err), 0);
        assert_string_equal(
            addr_format(list->ai_addr, list->ai_addrlen, buf, sizeof(buf)),
            cases[i].want);
        freeaddrinfo(list);
    }
}

/* ".invalid" never exists (RFC 2606), with a resolver or without. */
static void test_resolve_fails(void **state)
{
    struct addr addr = { .host = "no-such-host.invalid", .port = "1" };
    struct addrinfo *list;
    struct error err;

    (void)state;
    assert_int_equal(addr_resolve(&addr, false, &list, &err), -1);
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_non_null(strstr(err.text, "resolve no-such-host.invalid: "));
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_resolve_and_format),
        cmocka_unit_test(test_resolve_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
