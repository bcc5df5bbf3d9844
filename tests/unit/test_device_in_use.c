#include <stdio.h>

#include "io/device_in_use.h"
#include "io/mount_table.h"
#include "unit.h"

static void test_mounts(void **state)
{
    static const char text[] =
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root "
        "rw,errors=continue\n"
        "nonsense\n"
        "40 27 8:17 / /srv/two\\040words rw - ext4 /dev/sd\\134b1 rw\n"
        "41 27 0:48 / /pool rw - btrfs /dev/sdc rw\n"
        "42 27 8:33 / /cut rw shared:5\n"
        "43 27 7:0 / /last rw - iso9660 /dev/loop0 ro";
    static const struct {
        unsigned major, minor;
        const char *point, *source;
    } want[] = {
        { 0, 21, "/proc", "proc" },
        { 98, 0, "/mnt2", "/dev/root" },
        { 8, 17, "/srv/two words", "/dev/sd\\b1" },
        { 0, 48, "/pool", "/dev/sdc" },
        { 7, 0, "/last", "/dev/loop0" },
    };
    const char *at = text;
    struct mount_table_entry mount;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(mount_table_next(&at, &mount));
        assert_int_equal(mount.major, want[i].major);
        assert_int_equal(mount.minor, want[i].minor);
        assert_string_equal(mount.point, want[i].point);
        assert_string_equal(mount.source, want[i].source);
    }
    assert_false(mount_table_next(&at, &mount));
    assert_false(mount_table_next(&at, &mount));
}

static void test_a_word_longer_than_a_path_is_skipped(void **state)
{
    static char text[3 * PATH_MAX];
    char word[PATH_MAX + 1];
    const char *at = text;
    struct mount_table_entry mount;

    (void)state;
    memset(word, 'x', PATH_MAX);
    word[PATH_MAX] = '\0';
    snprintf(text, sizeof(text),
             "1 2 8:1 / /%s rw - ext4 /dev/a rw\n"
             "1 2 8:2 / /short rw - ext4 /dev/b rw\n",
             word);
    assert_true(mount_table_next(&at, &mount));
    assert_int_equal(mount.minor, 2);
    assert_false(mount_table_next(&at, &mount));
}

static void test_swaps(void **state)
{
    const char *at = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
                     "/dev/sda2                               partition\t1\t0\n"
                     "/swap\\040file                           file\t1\t0\n";
    char path[PATH_MAX];

    (void)state;
    assert_true(mount_table_next_swap(&at, path));
    assert_string_equal(path, "/dev/sda2");
    assert_true(mount_table_next_swap(&at, path));
    assert_string_equal(path, "/swap file");
    assert_false(mount_table_next_swap(&at, path));
}

static void test_nothing(void **state)
{
    const char *at = "";
    struct mount_table_entry mount;
    const struct storage none = device_stack_device(0); /* 0:0 is no device */
    char path[PATH_MAX], why[64];

    (void)state;
    assert_false(mount_table_next(&at, &mount));
    assert_false(mount_table_next_swap(&at, path));
    assert_false(device_in_use_find(&none, why, sizeof(why)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_a_word_longer_than_a_path_is_skipped),
        cmocka_unit_test(test_swaps),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
