#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "output/summary.h"
#include "unit.h"

#define GIB (UINT64_C(1) << 30)

static const struct cw_summary finished = {
    .disk_bytes = 10 * GIB,
    .data_bytes = 3 * GIB,
    .zero_bytes = 7 * GIB,
    .same_bytes = GIB,
    .verified_bytes = 9 * GIB,
    .unread_bytes = GIB,
    .reconnects = 3,
    .wire_bytes = 3 * GIB + GIB / 4,
    .compressed_bytes = 2 * GIB,
    .compressed_to_bytes = GIB,
    .allocated_bytes = 3 * GIB,
    .elapsed_ns = 2 * CLOCK_SECOND_NS + 5 * CLOCK_MS_NS / 2,
    .wait_disk_ns = 3 * CLOCK_SECOND_NS,
    .wait_net_ns = CLOCK_SECOND_NS,
    .lanes = 2,
    .limited_by = "source reads: 74 %",
    .io_engine = "io_uring",
    .io_mode = "direct",
    .padding_bytes = 445,
    .reads_holes = true,
    .zero_method = "hole",
    .preallocation = "off",
    .preallocation_why = "falloc is not supported",
    .image_format = "raw",
    .tls = "TLSv1.3 TLS_AES_128_GCM_SHA256",
    .peer = "10.0.0.7:41234 (source)",
    .digest = "xxh3-128:00ff",
};

/* Owned by the caller. */
static char *print(const struct cw_summary *summary)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    summary_print(summary, out);
    fclose(out);
    return text;
}

static void test_text(void **state)
{
    char *text = print(&finished);

    (void)state;
    assert_string_equal(
        text, "disk           10 GiB (10737418240 bytes), raw\n"
              "padding        445 zeros, to whole sectors\n"
              "data sent      3 GiB, 3.2 GiB on the wire\n"
              "compressed     2 GiB to 1 GiB, by zstd\n"
              "zeros skipped  7 GiB\n"
              "not sent again 1 GiB, 3 reconnects\n"
              "verified       9663676416 of 10737418240 bytes\n"
              "allocated      3 GiB\n"
              "time           2.002 s, data 1.4 GiB/s, disk 4.9 GiB/s\n"
              "lanes          2, waited 74% for disk, 24% for network\n"
              "limited by     source reads: 74 %\n"
              "I/O engine     io_uring\n"
              "I/O mode       direct\n"
              "holes          read, not skipped\n"
              "cipher         TLSv1.3 TLS_AES_128_GCM_SHA256\n"
              "peer           10.0.0.7:41234 (source)\n"
              "zero method    hole\n"
              "preallocation  off (falloc is not supported)\n"
              "digest xxh3-128:00ff\n");
    free(text);
}

/* What one side does not know is not printed; nothing divides by zero. */
static void test_text_sparse(void **state)
{
    const struct cw_summary empty = { .digest = "sha256:11" };
    char *text = print(&empty);

    (void)state;
    assert_null(strstr(text, "allocated"));
    assert_null(strstr(text, "compressed"));
    assert_null(strstr(text, "padding"));
    assert_null(strstr(text, "not sent again"));
    assert_null(strstr(text, "preallocation"));
    assert_null(strstr(text, "zero method"));
    assert_non_null(strstr(text, "0.000 s, data 0 B/s"));
    assert_non_null(strstr(text, "\ndigest sha256:11\n"));
    free(text);
}

static void test_json(void **state)
{
    const struct cw_summary empty = { .digest = "sha256:11" };
    struct json json;
    char buf[2048];

    (void)state;
    json_open(&json, buf, sizeof(buf));
    summary_add_json(&finished, &json);
    assert_string_equal(
        json_close(&json),
        "{\"disk_bytes\":10737418240,\"padding_bytes\":445,"
        "\"data_bytes\":3221225472,"
        "\"zero_bytes\":7516192768,\"same_bytes\":1073741824,"
        "\"verified_bytes\":9663676416,\"unread_bytes\":1073741824,"
        "\"unverified_bytes\":0,"
        "\"not_of_one_moment\":false,\"passes\":0,"
        "\"reconnects\":3,\"wire_bytes\":3489660928,"
        "\"compressed_bytes\":2147483648,"
        "\"compressed_to_bytes\":1073741824,"
        "\"allocated_bytes\":3221225472,\"seconds\":2.002,"
        "\"bytes_per_second\":1608601983,\"wait_disk_seconds\":3.000,"
        "\"wait_network_seconds\":1.000,\"lanes\":2,\"limited_by\":\"source reads: 74 %\",\"image_format\":\"raw\","
        "\"io_engine\":\"io_uring\",\"io_mode\":\"direct\","
        "\"holes\":\"read\","
        "\"cipher\":\"TLSv1.3 TLS_AES_128_GCM_SHA256\","
        "\"peer\":\"10.0.0.7:41234 (source)\",\"zero_method\":\"hole\","
        "\"preallocation\":\"off\","
        "\"preallocation_why\":\"falloc is not supported\","
        "\"digest\":\"xxh3-128:00ff\"}");

    json_open(&json, buf, sizeof(buf));
    summary_add_json(&empty, &json);
    assert_non_null(strstr(json_close(&json), "\"zero_method\":null,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_sparse),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
