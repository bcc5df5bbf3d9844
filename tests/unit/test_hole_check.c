/* Holes that a filesystem reports, believed or not: a SEEK_DATA that hides
 * data stands in for one that errs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/hole_check.h"
#include "unit.h"

#define MIB        ((off_t)1 << 20)
#define FILE_BYTES (64 * MIB)

/* [from, to) is called a hole, whatever is in it; empty: nothing is. */
static off_t hidden_from, hidden_to;

/* In place of the C library's, for the library under test too. */
off_t lseek(int fd, off_t offset, int whence)
{
    off_t at = syscall(SYS_lseek, fd, offset, whence);

    if (hidden_from == hidden_to)
        return at;
    if (whence == SEEK_DATA && at >= hidden_from && at < hidden_to)
        return syscall(SYS_lseek, fd, hidden_to, SEEK_DATA);
    if (whence == SEEK_HOLE && offset < hidden_from && at > hidden_from)
        return hidden_from;
    return at;
}

static void hide(off_t from, off_t to)
{
    hidden_from = from;
    hidden_to = to;
}

/* Data in [from, to) of fd, on its disk. */
static void put_data(int fd, off_t from, off_t to)
{
    static char ones[1 << 16];

    memset(ones, 1, sizeof(ones));
    for (off_t at = from; at < to; at += (off_t)sizeof(ones))
        assert_int_equal(pwrite(fd, ones, sizeof(ones), at), sizeof(ones));
    assert_int_equal(fsync(fd), 0);
}

/* A sparse file in the working directory, where most filesystems have
 * FIEMAP, and one in memory, which has none. */
struct sparse {
    int fd;
    bool has_fiemap;
};

static struct sparse disk, memory;

static bool knows_fiemap(int fd)
{
    struct fiemap map = { .fm_length = FILE_BYTES };

    return ioctl(fd, FS_IOC_FIEMAP, &map) == 0;
}

static int setup(void **state)
{
    char name[] = "holes-XXXXXX";

    (void)state;
    hide(0, 0);
    disk.fd = mkstemp(name);
    memory.fd = memfd_create("holes", MFD_CLOEXEC);
    if (disk.fd < 0 || memory.fd < 0)
        return -1;
    unlink(name);
    disk.has_fiemap = knows_fiemap(disk.fd);
    return ftruncate(disk.fd, FILE_BYTES) | ftruncate(memory.fd, FILE_BYTES);
}

static int teardown(void **state)
{
    (void)state;
    hide(0, 0);
    return close(disk.fd) | close(memory.fd);
}

static bool believes(const struct sparse *file)
{
    char reason[HOLE_CHECK_REASON_BYTES] = "";
    bool is_believed = hole_check(file->fd, FILE_BYTES, reason);

    if (!is_believed)
        print_message("    not believed: %s\n", reason);
    assert_int_equal(is_believed, reason[0] == '\0');
    return is_believed;
}

static void test_honest_holes(void **state)
{
    const struct sparse *files[] = { &disk, &memory };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CASE(i == 0 ? "disk" : "memory");
        assert_true(believes(files[i])); /* nothing but a hole */
        put_data(files[i]->fd, MIB, 2 * MIB);
        put_data(files[i]->fd, FILE_BYTES - 65536, FILE_BYTES);
        assert_true(believes(files[i]));
        put_data(files[i]->fd, 0, FILE_BYTES);
        assert_true(believes(files[i])); /* none at all */
    }
}

static void test_all_is_called_a_hole(void **state)
{
    (void)state;
    put_data(disk.fd, 0, 4 * MIB);
    put_data(memory.fd, 0, 4 * MIB);
    hide(0, FILE_BYTES);
    assert_false(believes(&disk));
    assert_false(believes(&memory));
}

/* By st_blocks alone: more than 2 % of what is allocated is missing. */
static void test_part_is_called_a_hole(void **state)
{
    (void)state;
    put_data(memory.fd, 0, 16 * MIB);
    put_data(memory.fd, 20 * MIB, 36 * MIB);
    hide(MIB, MIB + 65536); /* 0.2 %: no worse than a filesystem's tables */
    assert_true(believes(&memory));
    hide(15 * MIB, 16 * MIB);
    assert_false(believes(&memory));
    hide(35 * MIB, 36 * MIB);
    assert_false(believes(&memory));
}

static void test_one_extent_is_called_a_hole(void **state)
{
    (void)state;
    if (!disk.has_fiemap)
        skip();
    put_data(disk.fd, 0, 16 * MIB);
    hide(4 * MIB, 4 * MIB + 4096);
    assert_false(believes(&disk));
}

/* Blocks that are reserved and not written are holes, and no lie. */
static void test_reserved_blocks_are_explained(void **state)
{
    (void)state;
    if (!disk.has_fiemap || fallocate(disk.fd, 0, 0, FILE_BYTES) < 0)
        skip();
    assert_true(believes(&disk));
    put_data(disk.fd, MIB, 2 * MIB);
    assert_true(believes(&disk));
    hide(MIB, 2 * MIB);
    assert_false(believes(&disk));
}

static void test_blocks_behind_the_end_are_explained(void **state)
{
    (void)state;
    if (!disk.has_fiemap ||
        fallocate(disk.fd, FALLOC_FL_KEEP_SIZE, FILE_BYTES, FILE_BYTES) < 0)
        skip();
    put_data(disk.fd, MIB, 2 * MIB);
    assert_true(believes(&disk));
}

static void test_known_bugs(void **state)
{
    static const struct {
        const char *name, *type, *version;
        bool is_known;
    } cases[] = {
        { "ext4", "ext4", NULL, false },
        { "zfs, unknown", "zfs", NULL, true },
        { "zfs, not a version", "zfs", "master", true },
        { "zfs 0.8", "zfs", "0.8.6-1", true },
        { "zfs 2.0", "zfs", "2.0.7-1", true },
        { "zfs 2.1 before", "zfs", "2.1.13-1", true },
        { "zfs 2.1 fixed", "zfs", "2.1.14-1", false },
        { "zfs 2.2 before", "zfs", "2.2.1-1", true },
        { "zfs 2.2 fixed", "zfs", "2.2.2-1", false },
        { "zfs 2.3", "zfs", "2.3.0-1", false },
        { "zfs 3", "zfs", "3.0.0", false },
        { "gluster", "fuse.glusterfs", NULL, true },
        { "other fuse", "fuse.sshfs", NULL, false },
        { "unknown", "", NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        assert_int_equal(
            hole_check_known_bug(cases[i].type, cases[i].version) != NULL,
            cases[i].is_known);
    }
}

static void test_policies(void **state)
{
    (void)state;
    put_data(memory.fd, 0, 4 * MIB);
    assert_true(
        hole_check_may_skip(CW_HOLES_AUTO, memory.fd, FILE_BYTES, "memory"));
    assert_false(
        hole_check_may_skip(CW_HOLES_SCAN, memory.fd, FILE_BYTES, "memory"));
    hide(0, FILE_BYTES);
    assert_false(
        hole_check_may_skip(CW_HOLES_AUTO, memory.fd, FILE_BYTES, "memory"));
    assert_true(
        hole_check_may_skip(CW_HOLES_TRUST, memory.fd, FILE_BYTES, "memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_honest_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_is_called_a_hole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_part_is_called_a_hole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_one_extent_is_called_a_hole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_reserved_blocks_are_explained,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_blocks_behind_the_end_are_explained, setup, teardown),
        cmocka_unit_test(test_known_bugs),
        cmocka_unit_test_setup_teardown(test_policies, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
