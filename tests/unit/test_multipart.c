#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/multipart.h"
#include "unit.h"

#define TYPE "multipart/form-data; boundary=XyZ"
#define FILE_HEAD                                              \
    "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; " \
    "filename=\"a.img\"\r\nContent-Type: x/y\r\n\r\n"

struct got {
    enum multipart_event end;
    char data[256];
    size_t len;
    bool has_file;
};

static struct got read_form(const char *type, const char *in, size_t step)
{
    struct got got = { .end = MULTIPART_MORE };
    size_t at = 0, len = strlen(in);
    struct multipart form;

    assert_true(multipart_init(&form, type));
    while (at < len && got.end == MULTIPART_MORE) {
        size_t n = len - at < step ? len - at : step, used, data_len;
        enum multipart_event event;
        const char *data;

        event = multipart_feed(&form, in + at, n, &used, &data, &data_len);
        assert_true(used <= n);
        at += used;
        if (event == MULTIPART_DATA) {
            assert_true(got.len + data_len < sizeof(got.data));
            memcpy(got.data + got.len, data, data_len);
            got.len += data_len;
        } else if (event != MULTIPART_MORE) {
            got.end = event;
        }
    }
    got.has_file = multipart_has_file(&form);
    return got;
}

static void test_forms(void **state)
{
    static const struct {
        const char *in;
        enum multipart_event end;
        const char *file; /* NULL: there is none */
    } cases[] = {
        { FILE_HEAD "hello\r\n--XyZ--\r\n", MULTIPART_END, "hello" },
        { FILE_HEAD "\r\n--XyZ--", MULTIPART_END, "" },
        { "preamble\r\n" FILE_HEAD "a\r\n--XyZ--epilogue", MULTIPART_END, "a" },
        { "--XyZ\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nno"
          "\r\n" FILE_HEAD "yes\r\n--XyZ\r\ncontent-disposition: form-data; "
          "name=\"file\"\r\n\r\nagain\r\n--XyZ--",
          MULTIPART_END, "yes" },
        { "--XyZ  \r\ncontent-disposition:form-data;name=file\r\n\r\nb"
          "\r\n--XyZ--",
          MULTIPART_END, "b" },
        /* what looks like a boundary */
        { FILE_HEAD "\r\n--Xy\r\n--XyQ\r\r\n\n--XyZ\r\r\n--XyZ--",
          MULTIPART_END, "\r\n--Xy\r\n--XyQ\r\r\n\n--XyZ\r" },
        { "--XyZ\r\nA: name=file\r\n\r\nno\r\n--XyZ--", MULTIPART_END, NULL },
        { "--XyZ\r\nContent-Disposition: form-data; filename=\"file\"\r\n\r\nno"
          "\r\n--XyZ--",
          MULTIPART_END, NULL },
        /* cut, or no form */
        { FILE_HEAD "hello\r\n--XyZ-", MULTIPART_MORE, "hello" },
        { FILE_HEAD "hello\r\n--Xy", MULTIPART_MORE, "hello" },
        { FILE_HEAD "hello\r\n--XyZZ\r\n", MULTIPART_BROKEN, "hello" },
        { "nothing", MULTIPART_MORE, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].in);
        for (size_t step = 1; step < 400; step += step < 20 ? 1 : 300) {
            struct got got = read_form(TYPE, cases[i].in, step);

            assert_int_equal(got.end, cases[i].end);
            assert_int_equal(got.has_file, cases[i].file != NULL);
            if (!cases[i].file)
                continue;
            assert_int_equal(got.len, strlen(cases[i].file));
            assert_memory_equal(got.data, cases[i].file, got.len);
        }
    }
}

static void test_types(void **state)
{
    struct multipart form;

    (void)state;
    assert_true(multipart_init(&form, "Multipart/Form-Data; charset=x; "
                                      "Boundary=\"a b\""));
    assert_int_equal(form.delimiter_len, 4 + 3);
    assert_false(multipart_init(&form, "multipart/form-data"));
    assert_false(multipart_init(&form, "multipart/form-data; boundary="));
    assert_false(multipart_init(&form, "multipart/form-data; boundary=\"a"));
    assert_false(multipart_init(&form, "text/plain; boundary=a"));
    assert_false(multipart_init(&form, ""));
    assert_false(multipart_init(
        &form, "multipart/form-data; boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void test_endless_headers(void **state)
{
    char in[MULTIPART_HEADERS_BYTES + 64];
    size_t used, data_len;
    const char *data;
    struct multipart form;

    (void)state;
    memset(in, 'a', sizeof(in));
    memcpy(in, "--XyZ\r\n", 7);
    assert_true(multipart_init(&form, TYPE));
    assert_int_equal(
        multipart_feed(&form, in, sizeof(in), &used, &data, &data_len),
        MULTIPART_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_endless_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
