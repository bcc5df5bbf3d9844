/* Which of this machine's addresses others are told. */
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "net/addr.h"
#include "net/local_addrs.h"
#include "unit.h"

static struct sockaddr_storage parse(const char *text, socklen_t *len)
{
    struct sockaddr_storage out = { 0 };
    struct addrinfo *list;
    struct addr addr;
    struct error err;

    assert_int_equal(addr_parse(text, &addr, &err), 0);
    if (addr_resolve(&addr, false, &list, &err) < 0)
        fail_msg("%s", err.text);
    memcpy(&out, list->ai_addr, list->ai_addrlen);
    *len = list->ai_addrlen;
    freeaddrinfo(list);
    return out;
}

static void test_use(void **state)
{
    static const struct {
        const char *text;
        enum local_addrs_use want;
    } cases[] = {
        { "10.0.0.7:1", LOCAL_ADDRS_IPV4 },
        { "203.0.113.9:1", LOCAL_ADDRS_IPV4 },
        { "169.254.3.4:1", LOCAL_ADDRS_NONE },
        { "127.3.2.1:1", LOCAL_ADDRS_LOOPBACK },
        { "0.0.0.0:1", LOCAL_ADDRS_NONE },
        { "[2001:db8::1]:1", LOCAL_ADDRS_IPV6 },
        { "[fd00::7]:1", LOCAL_ADDRS_IPV6 },
        { "[::1]:1", LOCAL_ADDRS_LOOPBACK },
        { "[fe80::1%lo]:1", LOCAL_ADDRS_NONE },
        { "[::]:1", LOCAL_ADDRS_NONE },
        { "[::ffff:1.2.3.4]:1", LOCAL_ADDRS_NONE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        socklen_t len;
        struct sockaddr_storage sa = parse(cases[i].text, &len);

        CASE(cases[i].text);
        assert_int_equal(local_addrs_use((struct sockaddr *)&sa),
                         cases[i].want);
    }
}

/* Interfaces as text, "-" in front of one that is down, named "0", "1", ...,
 * chosen for a listener; the list is joined by blanks. */
static void check_pick(const char *listener, const char *device,
                       const char *const *texts, unsigned max, const char *want)
{
    struct sockaddr_storage storage[8], list[8], on;
    static char names[][2] = { "0", "1", "2", "3", "4", "5", "6", "7" };
    struct ifaddrs chain[8] = { 0 };
    char joined[512] = "", one[80];
    socklen_t len;
    unsigned count = 0;
    int n;

    for (; texts[count]; count++) {
        const char *text = texts[count];

        storage[count] = parse(text[0] == '-' ? text + 1 : text, &len);
        chain[count].ifa_name = names[count];
        chain[count].ifa_addr = (struct sockaddr *)&storage[count];
        chain[count].ifa_flags = text[0] == '-' ? 0 : IFF_UP;
        if (count > 0)
            chain[count - 1].ifa_next = &chain[count];
    }
    chain[count].ifa_name = names[count];
    chain[count].ifa_flags = IFF_UP; /* one without an address */
    if (count > 0)
        chain[count - 1].ifa_next = &chain[count];
    on = parse(listener, &len);
    n = local_addrs_pick(chain, (struct sockaddr *)&on, device, list, max);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        size_t used = strlen(joined);

        addr_format((struct sockaddr *)&list[i], sizeof(list[i]), one,
                    sizeof(one));
        snprintf(joined + used, sizeof(joined) - used, "%s%s", i ? " " : "",
                 one);
    }
    assert_string_equal(joined, want);
}

static void test_pick(void **state)
{
    static const struct {
        const char *name, *listener;
        const char *device; /* NULL: any */
        const char *interfaces[6];
        unsigned max;
        const char *want;
    } cases[] = {
        { "both families, IPv4 first",
          "[::]:8443",
          NULL,
          { "127.0.0.1", "[::1]", "[fd00::7]", "10.0.0.7" },
          8,
          "10.0.0.7:8443 [fd00::7]:8443" },
        { "one interface",
          "[::]:8443",
          "2",
          { "127.0.0.1", "[fd00::7]", "10.0.0.7", "192.168.3.4" },
          8,
          "10.0.0.7:8443" },
        { "an interface of that name has no address",
          "[::]:8443",
          "eth7",
          { "10.0.0.7" },
          8,
          "" },
        { "IPv4 listener",
          "0.0.0.0:99",
          NULL,
          { "[fd00::7]", "10.0.0.7", "192.168.3.4" },
          8,
          "10.0.0.7:99 192.168.3.4:99" },
        { "one is down",
          "[::]:1",
          NULL,
          { "-10.0.0.7", "[fd00::7]" },
          8,
          "[fd00::7]:1" },
        { "nothing but loopback",
          "[::]:1",
          NULL,
          { "127.0.0.1", "[::1]", "[fe80::1%lo]" },
          8,
          "127.0.0.1:1 [::1]:1" },
        { "nothing", "[::]:1", NULL, { "-10.0.0.7" }, 8, "" },
        { "no more than asked for",
          "[::]:1",
          NULL,
          { "10.0.0.1", "10.0.0.2", "10.0.0.3" },
          2,
          "10.0.0.1:1 10.0.0.2:1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        check_pick(cases[i].listener, cases[i].device, cases[i].interfaces,
                   cases[i].max, cases[i].want);
    }
}

/* A listener on one address is called by that; the wildcard on a real
 * machine gives something. */
static void test_list(void **state)
{
    struct sockaddr_storage list[LOCAL_ADDRS_MAX], on;
    struct error err;
    socklen_t len;
    char text[80];

    (void)state;
    on = parse("127.0.0.1:4711", &len);
    assert_int_equal(local_addrs_list((struct sockaddr *)&on, NULL, list,
                                      LOCAL_ADDRS_MAX, &err),
                     1);
    addr_format((struct sockaddr *)&list[0], sizeof(list[0]), text,
                sizeof(text));
    assert_string_equal(text, "127.0.0.1:4711");

    on = parse("[::]:4711", &len);
    assert_true(local_addrs_list((struct sockaddr *)&on, NULL, list,
                                 LOCAL_ADDRS_MAX, &err) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_use),
        cmocka_unit_test(test_pick),
        cmocka_unit_test(test_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
