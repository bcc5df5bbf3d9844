/* What lies on what, tried with loop devices over one file and a partition. */
#include <linux/blkpg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/device_in_use.h"
#include "io/device_stack.h"
#include "loopdev.h"
#include "tmpdisk.h"
#include "unit.h"

#define DISK_BYTES (1U << 20)

static char path[64];
static struct storage file;
static struct loopdev loop;

/* Another process may take the free one first. */
static bool attach(struct loopdev *to, uint64_t offset, uint64_t size_bytes,
                   unsigned flags)
{
    const struct loop_info64 part = {
        .lo_flags = LO_FLAGS_AUTOCLEAR | flags,
        .lo_offset = offset,
        .lo_sizelimit = size_bytes,
    };
    int backing = open(path, O_RDWR), r = -1;

    assert_true(backing >= 0);
    for (int i = 0; i < 50 && r < 0; i++)
        r = loopdev_configure(backing, 512, flags, to);
    close(backing);
    if (r == 0 && offset + size_bytes > 0)
        assert_int_equal(ioctl(to->fd, LOOP_SET_STATUS64, &part), 0);
    return r == 0;
}

static int set_up(void **state)
{
    (void)state;
    tmpdisk_make(path, sizeof(path), ".", DISK_BYTES);
    assert_true(device_stack_of_path(path, &file));
    if (!attach(&loop, 0, 0, LO_FLAGS_PARTSCAN))
        loop.fd = -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loopdev_close(&loop);
    unlink(path);
    return 0;
}

static struct storage of(const struct loopdev *device)
{
    struct storage storage;

    assert_true(device_stack_of_path(device->path, &storage));
    assert_true(storage.is_device);
    return storage;
}

static bool holds(const struct device_stack *stack,
                  const struct storage *wanted)
{
    for (size_t i = 0; i < stack->count; i++)
        if (device_stack_is_same(&stack->items[i], wanted))
            return true;
    return false;
}

static void test_a_file(void **state)
{
    struct storage other;
    struct stat st;

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_false(file.is_device);
    assert_int_equal(file.inode, st.st_ino);
    assert_true(device_stack_overlaps(&file, &file));
    assert_true(device_stack_of_path(".", &other));
    assert_false(device_stack_overlaps(&file, &other));
    assert_false(device_stack_of_path("/dev/null", &other));
    assert_false(device_stack_of_path("absent", &other));
    assert_true(device_stack_of_path("/proc/self/exe", &other));
    assert_false(device_stack_overlaps(&file, &other));
}

static void test_a_file_and_what_its_filesystem_lies_on(void **state)
{
    struct storage below;

    (void)state;
    if (file.below == 0)
        skip(); /* a filesystem without a device */
    below = device_stack_device(file.below);
    assert_true(device_stack_overlaps(&file, &below));
    assert_true(device_stack_overlaps(&below, &file));
}

static void test_a_loop_device(void **state)
{
    struct device_stack stack;
    struct storage device;

    (void)state;
    if (loop.fd < 0)
        skip();
    device = of(&loop);
    device_stack_below(&device, &stack);
    assert_true(device_stack_is_same(&stack.items[0], &device));
    assert_true(holds(&stack, &file));
    device_stack_above(&file, &stack);
    assert_true(holds(&stack, &device));
    assert_true(device_stack_overlaps(&device, &file));
    assert_true(device_stack_overlaps(&file, &device));
    /* It is found when its file has lost its name, too. */
    assert_int_equal(rename(path, "renamed"), 0);
    device_stack_above(&file, &stack);
    assert_true(holds(&stack, &device));
    assert_int_equal(rename("renamed", path), 0);
}

static void test_two_loop_devices_of_a_file(void **state)
{
    struct storage whole, first, second;
    struct loopdev a, b;

    (void)state;
    if (loop.fd < 0)
        skip();
    assert_true(attach(&a, 0, DISK_BYTES / 2, 0));
    assert_true(attach(&b, DISK_BYTES / 2, 0, 0));
    whole = of(&loop);
    first = of(&a);
    second = of(&b);
    assert_true(device_stack_overlaps(&whole, &first));
    assert_true(device_stack_overlaps(&second, &whole));
    assert_false(device_stack_overlaps(&first, &second));
    loopdev_close(&a);
    loopdev_close(&b);
}

static void add_partition(int fd, int number, long long start, long long length)
{
    struct blkpg_partition part = {
        .start = start,
        .length = length,
        .pno = number,
    };
    struct blkpg_ioctl_arg arg = {
        .op = BLKPG_ADD_PARTITION,
        .datalen = sizeof(part),
        .data = &part,
    };

    assert_int_equal(ioctl(fd, BLKPG, &arg), 0);
}

static struct storage partition_of(int number)
{
    char name[64], text[32];
    struct storage disk = of(&loop);
    unsigned major_number, minor_number;

    snprintf(name, sizeof(name), "%sp%d/dev", loop.path + strlen("/dev/"),
             number);
    assert_true(device_stack_attribute(disk.device, name, text, sizeof(text)));
    assert_int_equal(sscanf(text, "%u:%u", &major_number, &minor_number), 2);
    return device_stack_device(makedev(major_number, minor_number));
}

static void test_partitions(void **state)
{
    struct device_stack stack;
    struct storage disk, one, two;

    (void)state;
    if (loop.fd < 0)
        skip();
    add_partition(loop.fd, 1, 0, DISK_BYTES / 4);
    add_partition(loop.fd, 2, DISK_BYTES / 2, DISK_BYTES / 4);
    disk = of(&loop);
    one = partition_of(1);
    two = partition_of(2);
    device_stack_above(&disk, &stack);
    assert_true(holds(&stack, &one));
    assert_true(holds(&stack, &two));
    device_stack_below(&one, &stack);
    assert_true(holds(&stack, &disk));
    assert_true(holds(&stack, &file));
    assert_true(device_stack_overlaps(&one, &disk));
    assert_true(device_stack_overlaps(&one, &file));
    assert_false(device_stack_overlaps(&one, &two));
}

/* Held by another, it is in use; looked at by many, it is not. */
static void test_claims(void **state)
{
    char why[256];
    struct storage device;
    int fd;

    (void)state;
    if (loop.fd < 0)
        skip();
    device = of(&loop);
    assert_false(device_in_use_is_claimed(loop.path));
    assert_false(device_in_use_find(&file, why, sizeof(why)));
    fd = open(loop.path, O_RDWR | O_EXCL);
    assert_true(fd >= 0);
    assert_true(device_in_use_is_claimed(loop.path));
    assert_true(device_in_use_find(&file, why, sizeof(why)));
    assert_non_null(strstr(why, "loop"));
    /* The device itself: its caller asks for the claim. */
    assert_false(device_in_use_find(&device, why, sizeof(why)));
    close(fd);
    assert_false(device_in_use_find(&file, why, sizeof(why)));
}

static void test_locks(void **state)
{
    int reader, other, writer;

    (void)state;
    if (loop.fd < 0)
        skip();
    reader = open(loop.path, O_RDONLY);
    other = open(loop.path, O_RDONLY);
    writer = open(loop.path, O_RDWR);
    assert_true(device_in_use_lock(reader, false));
    assert_true(device_in_use_lock(other, false));
    assert_false(device_in_use_lock(writer, true));
    close(reader);
    close(other);
    assert_true(device_in_use_lock(writer, true));
    close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file),
        cmocka_unit_test(test_a_file_and_what_its_filesystem_lies_on),
        cmocka_unit_test(test_a_loop_device),
        cmocka_unit_test(test_two_loop_devices_of_a_file),
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_locks),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
