#include "io/device_stack.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "io/directory.h"
#include "io/kernel_file.h"
#include "io/mount_table.h"

#define SECTOR_BYTES 512U

bool device_stack_attribute(dev_t device, const char *name, char *text,
                            size_t len)
{
    return kernel_file_line(text, len, "/sys/dev/block/%u:%u/%s", major(device),
                            minor(device), name);
}

bool device_stack_name(dev_t device, char name[NAME_MAX + 1])
{
    char link[64], target[PATH_MAX];
    const char *slash;
    ssize_t n;

    snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(device),
             minor(device));
    n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    slash = strrchr(target, '/');
    return slash && snprintf(name, NAME_MAX + 1, "%s", slash + 1) <= NAME_MAX;
}

bool device_stack_holder(dev_t device, char name[NAME_MAX + 1])
{
    AUTO(auto_closedir) DIR *dir = NULL;
    const char *holder;
    char path[80];

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(device),
             minor(device));
    dir = directory_open(AT_FDCWD, path);
    holder = directory_next(dir);
    if (holder)
        snprintf(name, NAME_MAX + 1, "%s", holder);
    return holder != NULL;
}

/* Reads the device number in the attribute NAME of another device. */
static bool read_device(dev_t of, const char *name, dev_t *device)
{
    unsigned major_number, minor_number;
    char text[32];

    if (!device_stack_attribute(of, name, text, sizeof(text)) ||
        !mount_table_parse_device(text, &major_number, &minor_number))
        return false;
    *device = makedev(major_number, minor_number);
    return true;
}

/* ---- one storage ---- */

struct storage device_stack_device(dev_t device)
{
    return (struct storage){ .is_device = true, .device = device };
}

/* A filesystem on several devices (btrfs) has a device number of its own; the
 * mount then names the device. */
static dev_t filesystem_device(int fd, const struct stat *st)
{
    struct statx sx;
    dev_t device = 0;

    if (major(st->st_dev) != 0)
        return st->st_dev;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) == 0 &&
        (sx.stx_mask & STATX_MNT_ID))
        mount_table_source(sx.stx_mnt_id, &device);
    return device;
}

bool device_stack_of_fd(int fd, struct storage *storage)
{
    struct stat st;

    *storage = (struct storage){ 0 };
    if (fstat(fd, &st) < 0)
        return false;
    if (S_ISBLK(st.st_mode))
        *storage = device_stack_device(st.st_rdev);
    else if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        *storage = (struct storage){
            .device = st.st_dev,
            .inode = st.st_ino,
            .below = filesystem_device(fd, &st),
        };
    return storage->device != 0;
}

/* O_PATH needs no permission on the device and does not wake it. */
bool device_stack_of_path(const char *path, struct storage *storage)
{
    AUTO_FD int fd = open(path, O_PATH | O_CLOEXEC);

    *storage = (struct storage){ 0 };
    return fd >= 0 && device_stack_of_fd(fd, storage);
}

bool device_stack_is_same(const struct storage *a, const struct storage *b)
{
    return a->is_device == b->is_device && a->device == b->device &&
           a->inode == b->inode;
}

/* ---- loop devices ---- */

/* 0 if there is no such attribute. */
static uint64_t attribute_number(dev_t device, const char *name)
{
    uint64_t number = 0;

    kernel_file_number(&number, "/sys/dev/block/%u:%u/%s", major(device),
                       minor(device), name);
    return number;
}

/*
 * Asks the device itself which file it shows; this also works for a file
 * without a name.  Returns false if the device node does not exist here, as in
 * a container.
 */
static bool ask_loop(dev_t device, struct storage *file)
{
    char name[NAME_MAX + 1], path[NAME_MAX + 8];
    struct loop_info64 info;
    struct stat st;
    AUTO_FD int fd = -1;

    if (!device_stack_name(device, name))
        return false;
    snprintf(path, sizeof(path), "/dev/%s", name);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_rdev != device ||
        ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
        return false;
    if (info.lo_rdevice != 0)
        *file = device_stack_device((dev_t)info.lo_rdevice);
    else
        *file = (struct storage){
            .device = (dev_t)info.lo_device,
            .inode = (ino_t)info.lo_inode,
            .below = major((dev_t)info.lo_device) ? (dev_t)info.lo_device : 0,
        };
    return true;
}

/* A file of the same name in another mount namespace is unlikely to have the
 * size that explains the device's. */
static bool has_size(const struct device_stack_loop *loop)
{
    struct stat st;

    if (loop->file.is_device)
        return true;
    return stat(loop->path, &st) == 0 && (uint64_t)st.st_size >= loop->offset &&
           ((uint64_t)st.st_size - loop->offset) / SECTOR_BYTES >=
               loop->size_bytes / SECTOR_BYTES;
}

bool device_stack_loop(dev_t device, struct device_stack_loop *loop)
{
    struct storage named, asked;
    bool has_name, has_answer;

    *loop = (struct device_stack_loop){ 0 };
    if (!device_stack_attribute(device, "loop/backing_file", loop->path,
                                sizeof(loop->path)))
        return false;
    loop->offset = attribute_number(device, "loop/offset");
    loop->size_bytes = attribute_number(device, "size") * SECTOR_BYTES;
    loop->is_read_only = attribute_number(device, "ro") != 0;
    has_name = device_stack_of_path(loop->path, &named);
    has_answer = ask_loop(device, &asked);
    loop->file = has_answer ? asked : named;
    if (has_name && has_answer && device_stack_is_same(&named, &asked))
        loop->file = named; /* this one has the device under its filesystem */
    return has_answer || (has_name && has_size(loop));
}

/* ---- walking ---- */

/* Adds to a set: a storage reached by two paths is walked once. */
static void add(struct device_stack *stack, const struct storage *storage)
{
    for (size_t i = 0; i < stack->count; i++)
        if (device_stack_is_same(&stack->items[i], storage))
            return;
    if (stack->count < DEVICE_STACK_MAX)
        stack->items[stack->count++] = *storage;
}

static void add_device(struct device_stack *stack, dev_t device)
{
    struct storage storage = device_stack_device(device);

    add(stack, &storage);
}

/* Adds all devices in the directory NAME of a device ("slaves", "holders");
 * for "", the entries that are its partitions. */
static void add_listed(struct device_stack *stack, dev_t of, const char *name)
{
    AUTO(auto_closedir) DIR *dir = NULL;
    char path[PATH_MAX], ignored[32];
    const char *entry;
    dev_t device;

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(of),
             minor(of), name);
    dir = directory_open(AT_FDCWD, path);
    while ((entry = directory_next(dir))) {
        snprintf(path, sizeof(path), "%s/%s/partition", name, entry);
        if (name[0] == '\0' &&
            !device_stack_attribute(of, path, ignored, sizeof(ignored)))
            continue;
        snprintf(path, sizeof(path), "%s/%s/dev", name, entry);
        if (read_device(of, path, &device))
            add_device(stack, device);
    }
}

static void add_below(struct device_stack *stack, const struct storage *top)
{
    struct device_stack_loop loop;
    char ignored[32];
    dev_t disk;

    if (!top->is_device) {
        if (top->below != 0)
            add_device(stack, top->below);
        return;
    }
    if (device_stack_attribute(top->device, "partition", ignored,
                               sizeof(ignored)) &&
        read_device(top->device, "../dev", &disk))
        add_device(stack, disk);
    add_listed(stack, top->device, "slaves");
    if (device_stack_loop(top->device, &loop))
        add(stack, &loop.file);
}

/* Finds a device number by name; false if it is not a loop device. */
static bool find_loop(const char *name, dev_t *device)
{
    unsigned major_number, minor_number;
    char text[32];

    if (strncmp(name, "loop", 4) != 0 ||
        !kernel_file_line(text, sizeof(text), "/sys/block/%s/dev", name) ||
        !mount_table_parse_device(text, &major_number, &minor_number))
        return false;
    *device = makedev(major_number, minor_number);
    return true;
}

static void add_loops(struct device_stack *stack, const struct storage *bottom)
{
    AUTO(auto_closedir) DIR *dir = directory_open(AT_FDCWD, "/sys/block");
    struct device_stack_loop loop;
    const char *name;
    dev_t device;

    while ((name = directory_next(dir)))
        if (find_loop(name, &device) && device_stack_loop(device, &loop) &&
            device_stack_is_same(&loop.file, bottom))
            add_device(stack, device);
}

static void add_above(struct device_stack *stack, const struct storage *bottom)
{
    if (bottom->is_device) {
        add_listed(stack, bottom->device, "");
        add_listed(stack, bottom->device, "holders");
    }
    add_loops(stack, bottom);
}

static void walk(struct device_stack *stack, const struct storage *from,
                 void (*step)(struct device_stack *stack,
                              const struct storage *at))
{
    stack->count = 0;
    add(stack, from);
    for (size_t i = 0; i < stack->count; i++)
        step(stack, &stack->items[i]);
}

void device_stack_below(const struct storage *top, struct device_stack *stack)
{
    walk(stack, top, add_below);
}

void device_stack_above(const struct storage *bottom,
                        struct device_stack *stack)
{
    walk(stack, bottom, add_above);
}

/* ---- two of them ---- */

static bool lies_on(const struct storage *top, const struct storage *bottom)
{
    struct device_stack stack;

    device_stack_below(top, &stack);
    for (size_t i = 0; i < stack.count; i++)
        if (device_stack_is_same(&stack.items[i], bottom))
            return true;
    return false;
}

static bool share_a_part(const struct storage *a, const struct storage *b)
{
    struct device_stack_loop one, other;

    return a->is_device && b->is_device && device_stack_loop(a->device, &one) &&
           device_stack_loop(b->device, &other) &&
           device_stack_is_same(&one.file, &other.file) &&
           one.offset < other.offset + other.size_bytes &&
           other.offset < one.offset + one.size_bytes;
}

bool device_stack_overlaps(const struct storage *a, const struct storage *b)
{
    return lies_on(a, b) || lies_on(b, a) || share_a_part(a, b);
}
