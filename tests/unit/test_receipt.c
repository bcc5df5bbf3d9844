/* Receipts: what is written is read again, and nothing else is one. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/receipt.h"
#include "unit.h"

#define MIB  (UINT64_C(1) << 20)
#define DISK (40 * MIB + 5)

static struct digest *make_table(uint8_t seed)
{
    struct digest *table;
    struct error err;

    assert_int_equal(digest_open(DIGEST_XXH3_128, DISK, &table, &err), 0);
    for (uint64_t i = 0; i < 41; i += 3)
        digest_set(table, i, (uint8_t[16]){ seed, (uint8_t)i });
    return table;
}

static struct receipt write_one(const struct digest *table)
{
    struct receipt r = {
        .software = "clonewire 9.9.9",
        .peer_software = "clonewire 0.1.0",
        .side = "source",
        .job = "a \"job\" \\ with\ttabs",
        .format = "qcow2 in xz",
        .verified_bytes = DISK,
        .start_ns = UINT64_C(1790000000123000000),
        .ended_ns = UINT64_C(1790000001456000000),
    };
    struct error err;

    assert_int_equal(receipt_write("r.json", &r, table, &err), 0);
    return r;
}

static void test_round_trip(void **state)
{
    struct digest *table = make_table(7), *back;
    struct receipt wrote = write_one(table), read;
    struct error err;

    (void)state;
    assert_int_equal(receipt_try("r.json", &err), 0);
    assert_int_equal(receipt_read("r.json", &read, &err), 0);
    assert_string_equal(read.job, wrote.job);
    assert_string_equal(read.format, wrote.format);
    assert_string_equal(read.software, wrote.software);
    assert_string_equal(read.peer_software, wrote.peer_software);
    assert_string_equal(read.side, wrote.side);
    assert_string_equal(read.chunk_file, "r.json.chunks");
    assert_int_equal(read.algorithm, DIGEST_XXH3_128);
    assert_int_equal(read.disk_bytes, DISK);
    assert_int_equal(read.verified_bytes, DISK);
    assert_int_equal(read.start_ns, wrote.start_ns);
    assert_int_equal(read.ended_ns, wrote.ended_ns);
    assert_memory_equal(read.root, wrote.root, sizeof(read.root));

    assert_int_equal(digest_open(read.algorithm, DISK, &back, &err), 0);
    assert_int_equal(receipt_read_chunks("r.json", &read, back, &err), 0);
    for (uint64_t i = 0; i < 41; i++)
        assert_true(digest_agrees(table, back, i));
    digest_close(back);
    digest_close(table);
}

/* The table must be the one that the receipt is of. */
static void test_chunks(void **state)
{
    struct digest *table = make_table(7), *other = make_table(8), *back;
    struct receipt r = write_one(table);
    struct error err;

    (void)state;
    assert_int_equal(digest_open(r.algorithm, DISK, &back, &err), 0);
    assert_int_equal(truncate("r.json.chunks", 41 * 16 - 1), 0);
    assert_int_equal(receipt_read_chunks("r.json", &r, back, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    write_one(other);
    assert_int_equal(receipt_read_chunks("r.json", &r, back, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    assert_int_equal(unlink("r.json.chunks"), 0);
    assert_int_equal(receipt_read_chunks("r.json", &r, back, &err), -1);
    assert_int_equal(err.kind, ERROR_USAGE);
    digest_close(back);
    digest_close(other);
    digest_close(table);
}

static int read_text(const char *text)
{
    FILE *out = fopen("other.json", "w");
    struct receipt r;
    struct error err;
    int result;

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    result = receipt_read("other.json", &r, &err);
    assert_true(result == 0 || err.kind == ERROR_FORMAT);
    return result;
}

#define ROOT                                                 \
    "\"digest\":\"xxh3-128:2127bf72d24e9d502f3f06937264488d" \
    "408ce273c7deb80882519422a3491159\""
#define START "{\"type\":\"clonewire-receipt\",\"version\":1,"
#define REST  "\"chunk_bytes\":1048576,\"disk_bytes\":0"

static void test_not_receipts(void **state)
{
    static const struct {
        const char *name, *text;
        int want;
    } cases[] = {
        { "the least", START REST "," ROOT "}", 0 },
        { "more than we know",
          START "\"later\":{\"a\":[1,2]}," REST "," ROOT "}\n", 0 },
        { "a plain name", START "\"chunk_digests\":\"x\"," REST "," ROOT "}",
          0 },
        { "another place",
          START "\"chunk_digests\":\"../x\"," REST "," ROOT "}", -1 },
        { "empty", "", -1 },
        { "an empty object", "{}", -1 },
        { "a list", "[]", -1 },
        { "no root", START REST "}", -1 },
        { "no size", START "\"chunk_bytes\":1048576," ROOT "}", -1 },
        { "no type", "{\"version\":1," REST "," ROOT "}", -1 },
        { "another type", "{\"type\":\"x\",\"version\":1," REST "," ROOT "}",
          -1 },
        { "another version",
          "{\"type\":\"clonewire-receipt\",\"version\":2," REST "," ROOT "}",
          -1 },
        { "other chunks",
          START "\"chunk_bytes\":4096,\"disk_bytes\":0," ROOT "}", -1 },
        { "a short root", START REST ",\"digest\":\"xxh3-128:00\"}", -1 },
        { "a root of letters",
          START REST ",\"digest\":\"xxh3-128:zz27bf72d24e9d502f3f06937264488d"
                     "408ce273c7deb80882519422a3491159\"}",
          -1 },
        { "another algorithm",
          START REST ",\"digest\":\"md5-1:2127bf72d24e9d502f3f06937264488d"
                     "408ce273c7deb80882519422a3491159\"}",
          -1 },
        { "a size too large",
          START
          "\"chunk_bytes\":1048576,\"disk_bytes\":9223372036854775808," ROOT
          "}",
          -1 },
        { "something behind", START REST "," ROOT "}x", -1 },
        { "cut", START REST "," ROOT, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        assert_int_equal(read_text(cases[i].text), cases[i].want);
    }
}

static void test_no_place(void **state)
{
    struct receipt r;
    struct error err;

    (void)state;
    assert_int_equal(receipt_try("nowhere/r.json", &err), -1);
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_int_equal(receipt_try(".", &err), -1);
    assert_int_equal(receipt_read("nowhere/r.json", &r, &err), -1);
    assert_int_equal(err.kind, ERROR_USAGE);
}

static int in_directory(void **state)
{
    static char name[] = "receipt-XXXXXX";

    (void)state;
    return mkdtemp(name) && chdir(name) == 0 ? 0 : -1;
}

static int clean_up(void **state)
{
    static const char *const names[] = { "r.json", "r.json.chunks",
                                         "other.json" };
    char here[4096];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    return getcwd(here, sizeof(here)) ? rmdir(here) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_not_receipts),
        cmocka_unit_test(test_no_place),
    };

    return cmocka_run_group_tests(tests, in_directory, clean_up);
}
