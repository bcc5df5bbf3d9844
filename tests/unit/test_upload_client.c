/* URLs that a source by HTTP is given, and the head that it sends. */
#include "http/upload_client.h"
#include "unit.h"

static void test_urls(void **state)
{
    static const struct {
        const char *text, *host, *port, *header, *path;
    } cases[] = {
        { "https://cdi-upload-a.ns.svc:8443/v1beta1/upload",
          "cdi-upload-a.ns.svc", "8443", "cdi-upload-a.ns.svc:8443",
          "/v1beta1/upload" },
        { "https://host/x", "host", "443", "host:443", "/x" },
        { "https://host:1", "host", "1", "host:1", "/" },
        { "https://[::1]:8443/a?b", "::1", "8443", "[::1]:8443", "/a?b" },
        { "https://[::1]/", "::1", "443", "[::1]:443", "/" },
    };
    static const char *const bad[] = {
        "",
        "http://host/",
        "https://",
        "https:///path",
        "https://user@host/",
        "https://host:/ path",
        "https://host/a\r\nX: y",
        "https://host:99999/",
        "https://host?query",
    };
    struct upload_client_url url;
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].text);
        assert_int_equal(upload_client_parse_url(cases[i].text, &url, &err), 0);
        assert_string_equal(url.addr.host, cases[i].host);
        assert_string_equal(url.addr.port, cases[i].port);
        assert_string_equal(url.host, cases[i].header);
        assert_string_equal(url.path, cases[i].path);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CASE(bad[i]);
        assert_int_equal(upload_client_parse_url(bad[i], &url, &err), -1);
        assert_int_equal(err.kind, ERROR_USAGE);
    }
}

static void test_head(void **state)
{
    const struct http_post client = {
        .host = "h:1",
        .path = "/p",
        .agent = "a/1",
        .cdi_content_type = "blockdevice-clone",
        .disk_bytes = 512,
    };
    static const char want[] = "POST /p HTTP/1.1\r\n"
                               "Host: h:1\r\n"
                               "User-Agent: a/1\r\n"
                               "Transfer-Encoding: chunked\r\n"
                               "x-cdi-content-type: blockdevice-clone\r\n"
                               "x-clonewire-disk-bytes: 512\r\n"
                               "\r\n";
    char head[512];

    (void)state;
    assert_int_equal(http_write_post(head, sizeof(head), &client),
                     sizeof(want) - 1);
    assert_string_equal(head, want);
    assert_int_equal(http_write_post(head, sizeof(want) - 1, &client), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
