/*
 * Content says what an image is; nothing else does.  The samples are those of
 * the fuzz harness: the first and the last sector of what the real program of
 * each kind wrote, or what its documentation says where Debian has none (Ex01,
 * L01, AFF, Android's own, DMG, VMA, rbd, WIM, partclone, rar, Bochs, SESparse
 * VMDK); and of true disks.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "image/probe.h"
#include "unit.h"

#define SAMPLES CW_DOCS_DIR "/../tests/fuzz/corpus/probe/"

struct sample {
    uint8_t bytes[8192];
    size_t len;
};

static void read_sample(struct sample *sample, const char *name)
{
    char path[512];
    FILE *in;

    snprintf(path, sizeof(path), SAMPLES "%s", name);
    in = fopen(path, "re");
    if (!in)
        fail_msg("no sample %s", path);
    sample->len = fread(sample->bytes, 1, sizeof(sample->bytes), in);
    assert_true(sample->len < sizeof(sample->bytes));
    fclose(in);
}

/* As an image of these bytes is probed. */
static struct probe probe(const uint8_t *bytes, size_t len)
{
    size_t tail_len = len >= PROBE_TAIL_BYTES ? PROBE_TAIL_BYTES : 0;

    return probe_content(bytes, len < PROBE_HEAD_BYTES ? len : PROBE_HEAD_BYTES,
                         bytes + len - tail_len, tail_len);
}

static const struct {
    const char *sample;
    const char *name;
    enum probe_kind kind;
} known[] = {
    /* clang-format off */
    { "qcow2",             "QCOW2",           PROBE_IMAGE },
    { "gzip",              "gzip",            PROBE_COMPRESSED },
    { "xz",                "xz",              PROBE_COMPRESSED },
    { "zstd",              "zstd",            PROBE_COMPRESSED },
    { "zstd-pzstd",        "zstd",            PROBE_COMPRESSED },
    { "skippable-lz4",     "lz4",             PROBE_FOREIGN },
    { "skippable-only",    "zstd or lz4",     PROBE_FOREIGN },
    { "lz4",               "lz4",             PROBE_FOREIGN },
    { "lz4-legacy",        "lz4 (legacy)",    PROBE_FOREIGN },
    { "lzma",              "lzma",            PROBE_FOREIGN },
    { "lzma-sized",        "lzma",            PROBE_FOREIGN },
    { "lzip",              "lzip",            PROBE_FOREIGN },
    { "lzop",              "lzop",            PROBE_FOREIGN },
    { "bzip2",             "bzip2",           PROBE_FOREIGN },
    { "bzip2-empty",       "bzip2",           PROBE_FOREIGN },
    { "snappy",            "snappy",          PROBE_FOREIGN },
    { "7z",                "7-Zip",           PROBE_FOREIGN },
    { "rar",               "rar",             PROBE_FOREIGN },
    { "zip",               "zip",             PROBE_FOREIGN },
    { "zip-empty",         "zip (empty)",     PROBE_FOREIGN },
    { "zip-spanned",       "zip (spanned)",   PROBE_FOREIGN },
    { "zip-spanned-one",   "zip (spanned)",   PROBE_FOREIGN },
    { "tar-v7",            "tar",             PROBE_FOREIGN },
    { "tar-ustar",         "tar (OVA)",       PROBE_FOREIGN },
    { "tar-gnu",           "tar (OVA)",       PROBE_FOREIGN },
    { "tar-posix",         "tar (OVA)",       PROBE_FOREIGN },
    { "cpio-newc",         "cpio",            PROBE_FOREIGN },
    { "cpio-crc",          "cpio",            PROBE_FOREIGN },
    { "cpio-odc",          "cpio",            PROBE_FOREIGN },
    { "cpio-bin",          "cpio",            PROBE_FOREIGN },
    { "cpio-bin-big",      "cpio",            PROBE_FOREIGN },
    { "qcow",              "QCOW version 1",  PROBE_FOREIGN },
    { "vmdk-sparse",       "VMDK",            PROBE_IMAGE },
    { "vmdk-stream",       "VMDK",            PROBE_IMAGE },
    { "vmdk-descriptor",   "VMDK descriptor", PROBE_FOREIGN },
    { "vmdk-sesparse",     "VMDK (SESparse)", PROBE_FOREIGN },
    { "vhdx",              "VHDX",            PROBE_IMAGE },
    { "vhd",               "VHD",             PROBE_IMAGE },
    { "vhd-fixed",         "VHD",             PROBE_IMAGE },
    { "vdi",               "VDI",             PROBE_IMAGE },
    { "qed",               "QED",             PROBE_FOREIGN },
    { "parallels",         "Parallels",       PROBE_FOREIGN },
    { "bochs",             "Bochs",           PROBE_FOREIGN },
    { "vma",               "Proxmox VMA",     PROBE_FOREIGN },
    { "android-sparse",    "Android sparse",  PROBE_FOREIGN },
    { "rbd-export",        "rbd export",      PROBE_FOREIGN },
    { "rbd-diff",          "rbd export-diff", PROBE_FOREIGN },
    { "dmg",               "DMG",             PROBE_FOREIGN },
    { "dmg-encrypted",     "encrypted DMG",   PROBE_FOREIGN },
    { "e01",               "E01 (EWF)",       PROBE_FOREIGN },
    { "ex01",              "Ex01 (EWF)",      PROBE_FOREIGN },
    { "l01",               "L01 (EWF)",       PROBE_FOREIGN },
    { "aff",               "AFF",             PROBE_FOREIGN },
    { "wim",               "WIM",             PROBE_FOREIGN },
    { "partclone",         "partclone",       PROBE_FOREIGN },
    { "ntfsclone",         "ntfsclone",       PROBE_FOREIGN },
    { "html",              "HTML",            PROBE_FOREIGN },
    { "html-plain",        "HTML",            PROBE_FOREIGN },
    { "xml",               "XML",             PROBE_FOREIGN },
    { "lfs",               "Git LFS pointer", PROBE_FOREIGN },
    /* clang-format on */
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct sample sample;
        struct probe got;

        CASE(known[i].sample);
        read_sample(&sample, known[i].sample);
        got = probe(sample.bytes, sample.len);
        assert_string_equal(got.name, known[i].name);
        assert_int_equal(got.kind, known[i].kind);
    }
}

/* Each is known by what it begins or ends with, and not by less. */
static void test_one_byte_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct sample sample;
        size_t at = strcmp(known[i].sample, "vhd-fixed") == 0 ||
                            strcmp(known[i].name, "DMG") == 0
                        ? 512
                        : 0;

        if (strcmp(known[i].sample, "vhd") == 0)
            continue; /* its footer is there, too */
        CASE(known[i].sample);
        read_sample(&sample, known[i].sample);
        if (strcmp(known[i].name, "VDI") == 0)
            at = 64;
        if (strcmp(known[i].name, "tar (OVA)") == 0) {
            sample.bytes[257] ^= 0x80; /* then its checksum is wrong, too */
        } else if (strncmp(known[i].name, "HTML", 4) == 0) {
            memset(sample.bytes, 'x', 32);
        } else {
            sample.bytes[at] ^= 0x80;
        }
        assert_int_equal(probe(sample.bytes, sample.len).kind, PROBE_RAW);
    }
}

/* Cut off anywhere, nothing behind the end is looked at (sanitizers see). */
static void test_every_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct sample sample;

        read_sample(&sample, known[i].sample);
        for (size_t len = 0; len <= sample.len; len++) {
            uint8_t *exact = malloc(len + 1);

            assert_non_null(exact);
            memcpy(exact + 1, sample.bytes, len);
            assert_non_null(probe(exact + 1, len).name);
            free(exact);
        }
    }
}

/* Boot sectors, filesystems, partition tables, and what a guest may write:
 * every sample that is named so is a disk. */
static void test_true_disks(void **state)
{
    DIR *samples = opendir(SAMPLES);
    const struct dirent *entry;
    unsigned disks = 0;

    (void)state;
    assert_non_null(samples);
    while ((entry = readdir(samples))) {
        struct sample sample;

        if (strncmp(entry->d_name, "disk-", 5) != 0)
            continue;
        CASE(entry->d_name);
        read_sample(&sample, entry->d_name);
        assert_int_equal(probe(sample.bytes, sample.len).kind, PROBE_RAW);
        disks++;
    }
    closedir(samples);
    assert_true(disks >= 20);
}

/* Random sectors are none of it: neither noise nor few bytes among zeros. */
static void test_random_sectors(void **state)
{
    unsigned seed = unit_seed();
    uint8_t sector[PROBE_HEAD_BYTES];

    (void)state;
    for (int i = 0; i < 50000; i++) {
        bool is_sparse = i % 2 == 0;
        struct probe got;

        memset(sector, 0, sizeof(sector));
        for (size_t k = 0; k < sizeof(sector); k++)
            if (!is_sparse || rand_r(&seed) % 64 == 0)
                sector[k] = (uint8_t)(rand_r(&seed) >> 8);
        got = probe_content(sector, sizeof(sector), sector, sizeof(sector));
        if (got.kind != PROBE_RAW)
            fail_msg("sector %d is %s", i, got.name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_one_byte_off),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_true_disks),
        cmocka_unit_test(test_random_sectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
