/* Layers beneath a QCOW2: merged as qemu does, or refused. */
#include "helpers/corpus.h"

/* Puts a new image over the one that is there, which moves to path. */
static void overlay(const char *path, const char *name, const char *format,
                    uint64_t disk_bytes)
{
    char options[256];

    rename(image_path, path);
    snprintf(options, sizeof(options), "backing_file=%s,backing_fmt=%s", name,
             format);
    create(options, disk_bytes);
}

static void test_backing_files(void **state)
{
    struct command c = { 0 };

    (void)state;
    CASE("a smaller qcow2 beneath");
    create("cluster_size=4k", 8 * MIB + 512);
    command_add(&c, "qemu-io");
    command_add(&c, "-c");
    command_add(&c, "write -P 9 100k 5M");
    command_add(&c, "-c");
    command_add(&c, "write -P 8 8388608 512");
    command_add(&c, "%s", image_path);
    run(&c, NULL);
    overlay(base_path, base_path, "qcow2", DISK_BYTES);
    compare_with_qemu();
    write_randomly(true);
    compare_with_qemu();

    CASE("two layers, a relative name");
    overlay(other_path, "other", "qcow2", DISK_BYTES);
    compare_with_qemu();
    write_randomly(false);
    compare_with_qemu();

    CASE("raw below, larger");
    convert("raw", NULL, image_path, raw_path, false);
    unlink(image_path);
    rename(raw_path, image_path);
    overlay(base_path, base_path, "raw", 5 * MIB);
    compare_with_qemu();
}

static void test_backing_files_refused(void **state)
{
    char options[256];

    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    overlay(base_path, base_path, "qcow2", DISK_BYTES);
    CASE("not allowed");
    refused("backing file (/tmp/");
    CASE("another directory");
    refused_beneath("/usr", "not in the allowed directory");

    CASE("a link");
    rename(base_path, other_path);
    assert_int_equal(symlink(other_path, base_path), 0);
    refused_beneath(directory, "leads out of the allowed directory");
    unlink(base_path);
    rename(other_path, base_path);

    CASE("up and out");
    snprintf(options, sizeof(options),
             "backing_file=%s/../../etc/passwd,backing_fmt=raw", directory);
    create(options, DISK_BYTES);
    refused_beneath(directory, "leads out of the allowed directory");

    CASE("no file name at all");
    create("backing_file=nbd:unix:/x,backing_fmt=raw", DISK_BYTES);
    refused_beneath("/usr", "not in the allowed directory");

    CASE("a format we do not read");
    snprintf(options, sizeof(options), "backing_file=%s,backing_fmt=qed",
             base_path);
    create(options, DISK_BYTES);
    refused_beneath(directory, "one that is not supported");

    CASE("itself");
    snprintf(options, sizeof(options), "backing_file=%s,backing_fmt=qcow2",
             base_path);
    create(options, DISK_BYTES);
    rename(image_path, base_path);
    create(options, DISK_BYTES);
    refused_beneath(directory, "one layer too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backing_files),
        cmocka_unit_test(test_backing_files_refused),
    };

    if (!command_exists("qemu-img") || !command_exists("qemu-io")) {
        print_message("skipped: needs qemu-img and qemu-io\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
