#include <stdio.h>
#include <string.h>

#include "http/message.h"
#include "unit.h"

/* Reads the head of a request.  False if it is incomplete and valid so far. */
static bool parse(const char *in, size_t len, struct http_head *head,
                  enum http_code *code)
{
    struct http_reader *reader = http_reader_open(false);
    struct http_piece body;
    size_t used;
    enum http_event event = http_reader_feed(reader, in, len, &used, &body);

    *head = *http_reader_head(reader);
    *code = http_reader_code(reader);
    http_reader_close(reader);
    return event != HTTP_EVENT_MORE;
}

static void test_parse(void **state)
{
    static const struct {
        const char *in;
        enum http_code want; /* 0: incomplete */
        const char *path;
        enum http_verb verb;
    } cases[] = {
        { "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/metrics",
          HTTP_VERB_GET },
        { "GET / HTTP/1.0\r\n\r\n", HTTP_OK, "/", HTTP_VERB_GET },
        { "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/healthz",
          HTTP_VERB_HEAD },
        { "GET /metrics?a=b&c HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/metrics",
          HTTP_VERB_GET },
        { "GET /x HTTP/1.1\r\nHost: a\r\nA:\r\nB-c:  \t \r\n\r\nbody", HTTP_OK,
          "/x", HTTP_VERB_GET },
        { "GET /x HTTP/1.1\r\nHost: a\r\nA: \xc3\xa9\r\n\r\n", HTTP_OK, "/x",
          HTTP_VERB_GET },
        { "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/",
          HTTP_VERB_GET },
        { "GET https://a HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/",
          HTTP_VERB_GET },
        { "GET http://a:1/b//c?/d HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK,
          "/b//c", HTTP_VERB_GET },
        { "GET https://[::1]:8443/x HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/x",
          HTTP_VERB_GET },
        { "GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "//a/b",
          HTTP_VERB_GET },
        /* incomplete */
        { "", 0, NULL, 0 },
        { "G", 0, NULL, 0 },
        { "GET / HTTP/1.1\r\n", 0, NULL, 0 },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r", 0, NULL, 0 },
        /* other methods */
        { "POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/metrics",
          HTTP_VERB_POST },
        { "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/", HTTP_VERB_OTHER },
        { "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "",
          HTTP_VERB_OTHER },
        /* not HTTP/1.1 */
        { "get / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OK, "/", HTTP_VERB_OTHER },
        { "PRI * HTTP/2.0\r\n\r\n", HTTP_BAD, NULL, 0 },
        /* a path that is longer than any of ours */
        { "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          " HTTP/1.1\r\nHost: a\r\n\r\n",
          HTTP_OK, "", HTTP_VERB_GET },
        /* invalid, found before the end where possible */
        { "GET / HTTP/1.1\n\n", HTTP_BAD, NULL, 0 },
        { "\x16\x03\x01", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/1.1\rHost: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/1.1 \r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/2.0\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET /\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET * HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { " GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/1.1\r\n: a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/1.1\r\nA : a\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "GET / HTTP/1.1\r\nA: a\r\n folded\r\n\r\n", HTTP_BAD, NULL, 0 },
        { "\r\n\r\n", HTTP_BAD, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_head request = { .expects_continue = false };
        enum http_code result;
        bool whole = parse(cases[i].in, strlen(cases[i].in), &request, &result);

        CASE(cases[i].in);
        assert_int_equal(whole ? result : 0, cases[i].want);
        if (cases[i].want != HTTP_OK)
            continue;
        assert_string_equal(request.path, cases[i].path);
        assert_int_equal(request.verb, cases[i].verb);
    }
}

/* However it is cut, a good request is never refused on its way. */
static void test_parse_in_pieces(void **state)
{
    static const char in[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_head request;
    enum http_code result;

    (void)state;
    for (size_t len = 0; len < strlen(in); len++)
        assert_false(parse(in, len, &request, &result));
    assert_true(parse(in, strlen(in), &request, &result));
    assert_int_equal(result, HTTP_OK);
}

static void test_parse_long(void **state)
{
    static char in[HTTP_REQUEST_BYTES + 1];
    struct http_head request;
    enum http_code result;

    (void)state;
    memset(in, 'a', sizeof(in));
    memcpy(in, "GET / HTTP/1.1\r\nHost: a\r\nA: ", 28);
    assert_false(parse(in, sizeof(in) - 1, &request, &result));
    assert_true(parse(in, sizeof(in), &request, &result));
    assert_int_equal(result, HTTP_LONG);

    /* One that just fits is taken. */
    memcpy(in + sizeof(in) - 5, "\r\n\r\n", 4);
    assert_true(parse(in, sizeof(in), &request, &result));
    assert_int_equal(result, HTTP_OK);
}

static void test_parse_nul(void **state)
{
    static const char in[] = "GET /\0 HTTP/1.1\r\n\r\n";
    struct http_head request;
    enum http_code result;

    (void)state;
    assert_true(parse(in, sizeof(in) - 1, &request, &result));
    assert_int_equal(result, HTTP_BAD);
}

static void test_head(void **state)
{
    char out[HTTP_HEAD_BYTES];
    size_t len = http_write_head(out, HTTP_LONG, "text/plain; version=0.0.4",
                                 (size_t)UINT64_MAX);

    (void)state;
    assert_int_equal(len, strlen(out));
    assert_memory_equal(out + len - 4, "\r\n\r\n", 4);
    assert_non_null(
        strstr(out, "HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert_non_null(strstr(out, "Content-Length: 18446744073709551615\r\n"));
    assert_non_null(strstr(out, "Connection: close\r\n"));
}

/* ---- bodies ---- */

struct got {
    struct http_head head;
    char body[128];
    size_t body_len;
    size_t used; /* up to the end of the message */
    enum http_event end;
    enum http_code code;
};

/* Feeds in, step bytes at a time, to the end of the message. */
static struct got read_all(const char *in, size_t step, bool is_response)
{
    struct http_reader *reader = http_reader_open(is_response);
    struct got got = { .end = HTTP_EVENT_MORE };
    size_t len = strlen(in), at = 0, fed = 0;

    while (got.end == HTTP_EVENT_MORE) {
        uint64_t left = http_reader_body_left(reader);
        struct http_piece piece;
        enum http_event event;
        size_t used;

        if (fed < at + step)
            fed = at + step < len ? at + step : len;
        event = http_reader_feed(reader, in + at, fed - at, &used, &piece);
        if (left > 0 && fed > at &&
            event != HTTP_EVENT_BROKEN) /* body, nothing else */
            assert_int_equal(piece.len, left < fed - at ? left : fed - at);
        at += used;
        if (event == HTTP_EVENT_MORE)
            assert_int_equal(at, fed); /* all of it was used */
        if (event == HTTP_EVENT_MORE && fed == len)
            break;
        if (event == HTTP_EVENT_END || event == HTTP_EVENT_BROKEN)
            got.end = event;
        if (event == HTTP_EVENT_HEAD)
            got.head = *http_reader_head(reader);
        memcpy(got.body + got.body_len, piece.data ? piece.data : "",
               piece.len);
        got.body_len += piece.len;
    }
    got.used = at;
    got.code = http_reader_code(reader);
    http_reader_close(reader);
    return got;
}

#define POST "POST /v1beta1/upload?a HTTP/1.1\r\nHost: a\r\n"

static void test_body(void **state)
{
    static const struct {
        const char *in;
        const char *body;
        const char *rest; /* of another message */
    } cases[] = {
        { POST "Content-Length: 5\r\n\r\nhello", "hello", "" },
        { POST "Content-Length: 0\r\n\r\n", "", "" },
        { POST "\r\n", "", "" },
        { POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n"
               "you\r\n0\r\n\r\n",
          "helloyou", "" },
        { POST "Transfer-Encoding: Chunked\r\n\r\n0\r\nContent-Type: b\r\n"
               "\r\n",
          "", "" },
        { POST "Content-Length: 5\r\n\r\nhelloGET", "hello", "GET" },
        { POST "Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n"
               "\r\nhi",
          "hi", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].in);
        for (size_t step = 1; step < 200; step += step < 20 ? 1 : 150) {
            struct got got = read_all(cases[i].in, step, false);

            assert_int_equal(got.end, HTTP_EVENT_END);
            assert_int_equal(got.head.verb, HTTP_VERB_POST);
            assert_string_equal(got.head.path, "/v1beta1/upload");
            assert_string_equal(got.head.content_type, "");
            assert_int_equal(got.body_len, strlen(cases[i].body));
            assert_memory_equal(got.body, cases[i].body, got.body_len);
            assert_string_equal(cases[i].in + got.used, cases[i].rest);
        }
    }
}

static void test_head_values(void **state)
{
    struct got got = read_all(
        POST "X-CDI-Content-Type: blockdevice-clone\r\n"
             "x-cdi-content-type: other\r\n"
             "Content-Type: multipart/form-data; boundary=a\r\n"
             "x-clonewire-disk-bytes: 77\r\nExpect: 100-Continue\r\n"
             "Content-Length: 1844674407370955160\r\n\r\nh",
        1000, false);

    (void)state;
    assert_string_equal(got.head.cdi_content_type, "blockdevice-clone");
    assert_string_equal(got.head.content_type,
                        "multipart/form-data; boundary=a");
    assert_string_equal(got.head.disk_bytes, "77");
    assert_true(got.head.expects_continue);
    assert_true(got.head.has_length);
    assert_true(got.head.length_bytes == UINT64_MAX / 10 - 1);
}

static void test_body_refused(void **state)
{
    static const struct {
        const char *in;
        enum http_code code;
    } cases[] = {
        { POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
          HTTP_BAD },
        { POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", HTTP_BAD },
        { POST "Content-Length: -5\r\n\r\n", HTTP_BAD },
        { POST "Content-Length: 18446744073709551616\r\n\r\n", HTTP_BAD },
        { POST "Transfer-Encoding: gzip\r\n\r\n", HTTP_UNKNOWN },
        { POST "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP_UNKNOWN },
        { POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
          HTTP_BAD },
        { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\nx\r\n", HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
          HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\n5\rXhello\r\n0\r\n\r\n",
          HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\rX",
          HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\n\n",
          HTTP_BAD },
        { POST "Transfer-Encoding: chunked\r\n\r\n11112222333344445\r\n",
          HTTP_BAD },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].in);
        for (size_t step = 1; step < 200; step += 198) {
            struct got got = read_all(cases[i].in, step, false);

            assert_int_equal(got.end, HTTP_EVENT_BROKEN);
            assert_int_equal(got.code, cases[i].code);
        }
    }
}

#define GET     "GET / HTTP/1.1\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

/* What two readers could take for different messages (RFC 9112, 11.2): refused
 * whole or byte by byte, and as strictly in an answer as in a request. */
static void test_rfc_9112(void **state)
{
    static const struct {
        const char *rule;
        const char *in;
        enum http_code code;
    } cases[] = {
        /* clang-format off */
        { "2.2 bare LF after the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n", HTTP_BAD },
        { "2.2 bare LF after a header", GET "Host: a\n\r\n", HTTP_BAD },
        { "2.2 bare LF as the empty line", GET "Host: a\r\n\n", HTTP_BAD },
        { "2.2 bare CR in a value", GET "Host: a\r\nA: b\rc\r\n\r\n", HTTP_BAD },
        { "2.2 space before the first header", GET " Host: a\r\n\r\n", HTTP_BAD },
        { "2.3 other letters in the version", "GET / http/1.1\r\nHost: a\r\n\r\n", HTTP_BAD },
        { "2.3 a longer version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", HTTP_BAD },
        { "3 a method that is not a token", "GE\"T / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD },
        { "3 a tab between the words", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD },
        { "3.2 a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_BAD },
        { "3.2 no host", GET "A: b\r\n\r\n", HTTP_BAD },
        { "3.2 two hosts", GET "Host: a\r\nHost: a\r\n\r\n", HTTP_BAD },
        { "3.2 two hosts, one without a name", GET "Host:\r\nhost: a\r\n\r\n", HTTP_BAD },
        { "3.2 a list of hosts", GET "Host: a, b\r\n\r\n", HTTP_BAD },
        { "3.2 a path in the host", GET "Host: a/b\r\n\r\n", HTTP_BAD },
        { "3.2 a user in the host", GET "Host: a@b\r\n\r\n", HTTP_BAD },
        { "5.1 a space before the colon", GET "Host : a\r\n\r\n", HTTP_BAD },
        { "5.1 a tab before the colon", GET "Host: a\r\nContent-Length\t: 1\r\n\r\n", HTTP_BAD },
        { "5.1 no name", GET "Host: a\r\n: b\r\n\r\n", HTTP_BAD },
        { "5.1 no colon", GET "Host: a\r\nA\r\n\r\n", HTTP_BAD },
        { "5.1 a name that is not a token", GET "Host: a\r\nA(b): c\r\n\r\n", HTTP_BAD },
        { "5.1 a name beyond ASCII", GET "Host: a\r\n\xc3\xa9: c\r\n\r\n", HTTP_BAD },
        { "5.2 folded with a space", GET "Host: a\r\nA: b\r\n c\r\n\r\n", HTTP_BAD },
        { "5.2 folded with a tab", GET "Host: a\r\nA: b\r\n\tc\r\n\r\n", HTTP_BAD },
        { "5.5 a control byte in a value", GET "Host: a\r\nA: \x01\r\n\r\n", HTTP_BAD },
        { "5.5 DEL in a value", GET "Host: a\r\nA: \x7f\r\n\r\n", HTTP_BAD },
        { "6.1 coding and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", HTTP_BAD },
        { "6.1 length and coding", POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD },
        { "6.1 an empty coding and a length", POST "Content-Length: 1\r\nTransfer-Encoding:\r\n\r\n", HTTP_UNKNOWN },
        { "6.1 two codings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD },
        { "6.1 an empty coding and another", POST "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD },
        { "6.1 chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n", HTTP_UNKNOWN },
        { "6.1 nearly chunked", POST "Transfer-Encoding: xchunked\r\n\r\n", HTTP_UNKNOWN },
        { "6.1 chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n", HTTP_UNKNOWN },
        { "6.1 chunked after a vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n", HTTP_BAD },
        { "6.2 two equal lengths", POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", HTTP_BAD },
        { "6.2 a list of lengths", POST "Content-Length: 1, 1\r\n\r\n", HTTP_BAD },
        { "6.2 an empty length", POST "Content-Length:\r\n\r\n", HTTP_BAD },
        { "6.2 a sign", POST "Content-Length: +1\r\n\r\n", HTTP_BAD },
        { "6.2 hexadecimal", POST "Content-Length: 0x1\r\n\r\n", HTTP_BAD },
        { "6.2 a space inside", POST "Content-Length: 1 1\r\n\r\n", HTTP_BAD },
        { "6.2 more than 64 bits", POST "Content-Length: 18446744073709551617\r\n\r\n", HTTP_BAD },
        { "7.1 bare LF after a size", CHUNKED "1\na\r\n0\r\n\r\n", HTTP_BAD },
        { "7.1 bare LF after data", CHUNKED "1\r\na\n0\r\n\r\n", HTTP_BAD },
        { "7.1 no size", CHUNKED "\r\na\r\n", HTTP_BAD },
        { "7.1 an extension without a size", CHUNKED ";a\r\n", HTTP_BAD },
        { "7.1 a sign", CHUNKED "+1\r\na\r\n", HTTP_BAD },
        { "7.1 a prefix", CHUNKED "0x1\r\na\r\n", HTTP_BAD },
        { "7.1 a space before the size", CHUNKED " 1\r\na\r\n", HTTP_BAD },
        { "7.1 a space after the size", CHUNKED "1 \r\na\r\n", HTTP_BAD },
        { "7.1 more than 64 bits", CHUNKED "10000000000000001\r\na\r\n", HTTP_BAD },
        { "7.1 data longer than its size", CHUNKED "1\r\nab\r\n0\r\n\r\n", HTTP_BAD },
        { "7.1.1 bare LF in an extension", CHUNKED "1;a\nb\r\na\r\n0\r\n\r\n", HTTP_BAD },
        { "7.1.1 bare CR in an extension", CHUNKED "1;a\rb\r\na\r\n0\r\n\r\n", HTTP_BAD },
        { "7.1.2 a folded trailer", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", HTTP_BAD },
        { "7.1.2 a trailer without a name", CHUNKED "0\r\n: b\r\n\r\n", HTTP_BAD },
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].rule);
        for (size_t step = 1; step < 500; step += 498) {
            struct got got = read_all(cases[i].in, step, false);

            assert_int_equal(got.end, HTTP_EVENT_BROKEN);
            assert_int_equal(got.code, cases[i].code);
        }
    }
}

/* A host of HTTP/1.0 may be missing, and of 1.1 may have any usual form. */
static void test_hosts(void **state)
{
    static const char *const good[] = {
        "GET / HTTP/1.0\r\n\r\n",
        GET "Host: a.example:8443\r\n\r\n",
        GET "hOST: \t [fd00::1]:80 \t \r\n\r\n",
        GET "Host:\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CASE(good[i]);
        assert_int_equal(read_all(good[i], 1, false).end, HTTP_EVENT_END);
    }
}

/* Extensions are ignored up to a length; trailers up to that of a head. */
static void test_chunk_lines_are_bounded(void **state)
{
    static char in[HTTP_REQUEST_BYTES + 4096];
    char line[300];

    (void)state;
    memset(line, 'x', sizeof(line));
    for (size_t len = 240; len < sizeof(line); len += 59) {
        snprintf(in, sizeof(in), CHUNKED "1;%.*s\r\na\r\n0\r\n\r\n", (int)len,
                 line);
        assert_int_equal(read_all(in, 1, false).end,
                         len < 256 ? HTTP_EVENT_END : HTTP_EVENT_BROKEN);
    }
    snprintf(in, sizeof(in), "%s", CHUNKED "0\r\nA: ");
    memset(in + strlen(in), 'x', HTTP_REQUEST_BYTES);
    assert_int_equal(read_all(in, 1000, false).code, HTTP_LONG);
}

/* A body that is cut never ends, wherever. */
static void test_body_cut(void **state)
{
    static const char in[] = POST "Transfer-Encoding: chunked\r\n\r\n5\r\n"
                                  "hello\r\n0\r\n\r\n";

    (void)state;
    for (size_t len = 1; len < sizeof(in) - 1; len++) {
        char cut[sizeof(in)];

        memcpy(cut, in, len);
        cut[len] = '\0';
        assert_int_equal(read_all(cut, 1000, false).end, HTTP_EVENT_MORE);
    }
    assert_int_equal(read_all(in, 1000, false).end, HTTP_EVENT_END);
}

/* An answer without a body, and one that lasts until the sender closes. */
static void test_response_lengths(void **state)
{
    static const struct {
        const char *in;
        enum http_event end;
        const char *body;
    } cases[] = {
        { "HTTP/1.1 204 No Content\r\n\r\nrest", HTTP_EVENT_END, "" },
        { "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\nrest", HTTP_EVENT_END,
          "" },
        { "HTTP/1.1 200\r\n\r\nto the end", HTTP_EVENT_MORE, "to the end" },
        { "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_EVENT_END, "" },
        { "HTTP/1.1 20 OK\r\n\r\n", HTTP_EVENT_BROKEN, "" },
        { "HTTP/1.1 2000 OK\r\n\r\n", HTTP_EVENT_BROKEN, "" },
        { "HTTP/1.1  200 OK\r\n\r\n", HTTP_EVENT_BROKEN, "" },
        { "HTTP/1.1 200 OK\n\r\n", HTTP_EVENT_BROKEN, "" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n",
          HTTP_EVENT_BROKEN, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].in);
        for (size_t step = 1; step < 200; step += 150) {
            struct got got = read_all(cases[i].in, step, true);

            assert_int_equal(got.end, cases[i].end);
            assert_int_equal(got.body_len, strlen(cases[i].body));
            assert_memory_equal(got.body, cases[i].body, got.body_len);
        }
    }
}

static void test_response(void **state)
{
    struct got got = read_all("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n"
                              "\r\nno",
                              1000, true);

    (void)state;
    assert_int_equal(got.end, HTTP_EVENT_END);
    assert_int_equal(got.head.status, 409);
    assert_memory_equal(got.body, "no", 2);
    got = read_all("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 1000,
                   true);
    assert_int_equal(got.end, HTTP_EVENT_END);
    assert_int_equal(got.head.status, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_in_pieces),
        cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_parse_nul),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_head_values),
        cmocka_unit_test(test_body_refused),
        cmocka_unit_test(test_rfc_9112),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_chunk_lines_are_bounded),
        cmocka_unit_test(test_body_cut),
        cmocka_unit_test(test_response_lengths),
        cmocka_unit_test(test_response),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
