#include <stdio.h>
#include <string.h>

#include "net/http.h"
#include "unit.h"

static void test_parse(void **state)
{
    static const struct {
        const char *in;
        enum http_result want; /* 0: not whole yet */
        const char *path;
        bool is_head;
    } cases[] = {
        { "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/metrics",
          false },
        { "GET / HTTP/1.0\r\n\r\n", HTTP_OK, "/", false },
        { "HEAD /healthz HTTP/1.1\r\n\r\n", HTTP_OK, "/healthz", true },
        { "GET /metrics?a=b&c HTTP/1.1\r\n\r\n", HTTP_OK, "/metrics", false },
        { "GET /x HTTP/1.1\r\nA:\r\nB-c:  \t \r\n\r\nbody", HTTP_OK, "/x",
          false },
        { "GET /x HTTP/1.1\r\nA: \xc3\xa9\r\n\r\n", HTTP_OK, "/x", false },
        /* on its way */
        { "", 0, NULL, false },
        { "G", 0, NULL, false },
        { "GET / HTTP/1.1\r\n", 0, NULL, false },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r", 0, NULL, false },
        /* other methods */
        { "POST /metrics HTTP/1.1\r\n\r\n", HTTP_NOT_GET, NULL, false },
        { "get / HTTP/1.1\r\n\r\n", HTTP_NOT_GET, NULL, false },
        { "PRI /* HTTP/1.1\r\n\r\n", HTTP_NOT_GET, NULL, false },
        /* a path that is longer than any of ours */
        { "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          " HTTP/1.1\r\n\r\n",
          HTTP_NOT_FOUND, NULL, false },
        /* nonsense, seen before it is whole where that can be */
        { "GET / HTTP/1.1\n\n", HTTP_BAD, NULL, false },
        { "\x16\x03\x01", HTTP_BAD, NULL, false },
        { "GET / HTTP/1.1\rHost: a\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET  / HTTP/1.1\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET / HTTP/1.1 \r\n\r\n", HTTP_BAD, NULL, false },
        { "GET / HTTP/2.0\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET /\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET * HTTP/1.1\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET https://a/ HTTP/1.1\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET /\xc3\xa9 HTTP/1.1\r\n\r\n", HTTP_BAD, NULL, false },
        { " GET / HTTP/1.1\r\n\r\n", HTTP_BAD, NULL, false },
        { "G(T / HTTP/1.1\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET / HTTP/1.1\r\n: a\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET / HTTP/1.1\r\nA : a\r\n\r\n", HTTP_BAD, NULL, false },
        { "GET / HTTP/1.1\r\nA: a\r\n folded\r\n\r\n", HTTP_BAD, NULL, false },
        { "\r\n\r\n", HTTP_BAD, NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request = { .is_head = false };
        enum http_result result;
        bool whole = http_parse(cases[i].in, strlen(cases[i].in), &request,
                                &result);

        CASE(cases[i].in);
        assert_int_equal(whole ? result : 0, cases[i].want);
        if (cases[i].want != HTTP_OK)
            continue;
        assert_string_equal(request.path, cases[i].path);
        assert_int_equal(request.is_head, cases[i].is_head);
    }
}

/* However it is cut, a good request is never refused on its way. */
static void test_parse_in_pieces(void **state)
{
    static const char in[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_request request;
    enum http_result result;

    (void)state;
    for (size_t len = 0; len < strlen(in); len++)
        assert_false(http_parse(in, len, &request, &result));
    assert_true(http_parse(in, strlen(in), &request, &result));
    assert_int_equal(result, HTTP_OK);
}

static void test_parse_long(void **state)
{
    char in[HTTP_REQUEST_BYTES];
    struct http_request request;
    enum http_result result;

    (void)state;
    memset(in, 'a', sizeof(in));
    assert_false(http_parse(in, sizeof(in) - 1, &request, &result));
    assert_true(http_parse(in, sizeof(in), &request, &result));
    assert_int_equal(result, HTTP_LONG);

    /* One that just fits is taken. */
    memcpy(in, "GET / HTTP/1.1\r\nA: ", 19);
    memcpy(in + sizeof(in) - 4, "\r\n\r\n", 4);
    assert_true(http_parse(in, sizeof(in), &request, &result));
    assert_int_equal(result, HTTP_OK);
}

static void test_parse_nul(void **state)
{
    static const char in[] = "GET /\0 HTTP/1.1\r\n\r\n";
    struct http_request request;
    enum http_result result;

    (void)state;
    assert_true(http_parse(in, sizeof(in) - 1, &request, &result));
    assert_int_equal(result, HTTP_BAD);
}

static void test_head(void **state)
{
    char out[HTTP_HEAD_BYTES];
    size_t len = http_head(out, HTTP_LONG, "text/plain; version=0.0.4",
                           (size_t)UINT64_MAX);

    (void)state;
    assert_int_equal(len, strlen(out));
    assert_memory_equal(out + len - 4, "\r\n\r\n", 4);
    assert_non_null(
        strstr(out, "HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert_non_null(strstr(out, "Content-Length: 18446744073709551615\r\n"));
    assert_non_null(strstr(out, "Connection: close\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_in_pieces),
        cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_parse_nul),
        cmocka_unit_test(test_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
