#include "sink/device_in_use.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

/* More mounts than any machine has; also ends a file that never does. */
#define MAX_TEXT_BYTES ((size_t)16 << 20)

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/*
 * Copies the word at *text, undoing the kernel's \ooo for blanks; *text
 * moves behind it and the blanks after it, never past the line.  False when
 * there is no word or it is too long.
 */
static bool take_word(const char **text, char *word, size_t len)
{
    const char *p = *text;
    size_t n = 0;

    for (; *p != '\0' && *p != ' ' && *p != '\t' && *p != '\n'; p++) {
        char c = *p;

        if (c == '\\' && is_octal(p[1]) && is_octal(p[2]) && is_octal(p[3])) {
            c = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
            p += 3;
        }
        if (n + 1 >= len)
            return false;
        word[n++] = c;
    }
    word[n] = '\0';
    while (*p == ' ' || *p == '\t')
        p++;
    *text = p;
    return n > 0;
}

static void skip_line(const char **text)
{
    const char *end = strchr(*text, '\n');

    *text = end ? end + 1 : *text + strlen(*text);
}

static bool skip_words(const char **text, unsigned count)
{
    char word[PATH_MAX];

    while (count-- > 0)
        if (!take_word(text, word, sizeof(word)))
            return false;
    return true;
}

/* The optional fields end with a word of one dash. */
static bool skip_to_dash(const char **text)
{
    char word[PATH_MAX];

    do {
        if (!take_word(text, word, sizeof(word)))
            return false;
    } while (strcmp(word, "-") != 0);
    return true;
}

/* "8:17" and then nothing, or the end of the line. */
static bool parse_numbers(const char *text, unsigned *major_number,
                          unsigned *minor_number)
{
    unsigned long first, second;
    char *end;

    first = strtoul(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    text = end + 1;
    second = strtoul(text, &end, 10);
    if (end == text || (*end != '\0' && *end != '\n') || first > UINT_MAX ||
        second > UINT_MAX)
        return false;
    *major_number = (unsigned)first;
    *minor_number = (unsigned)second;
    return true;
}

/* proc(5): id parent major:minor root point options [tags] - type source */
static bool parse_mount(const char *line, struct device_in_use_mount *mount)
{
    char numbers[32];

    return skip_words(&line, 2) && take_word(&line, numbers, sizeof(numbers)) &&
           parse_numbers(numbers, &mount->major, &mount->minor) &&
           skip_words(&line, 1) &&
           take_word(&line, mount->point, sizeof(mount->point)) &&
           skip_to_dash(&line) && skip_words(&line, 1) &&
           take_word(&line, mount->source, sizeof(mount->source));
}

bool device_in_use_next_mount(const char **text,
                              struct device_in_use_mount *mount)
{
    while (**text != '\0') {
        const char *line = *text;

        skip_line(text);
        if (parse_mount(line, mount))
            return true;
    }
    return false;
}

bool device_in_use_next_swap(const char **text, char path[PATH_MAX])
{
    while (**text != '\0') {
        const char *line = *text;

        skip_line(text);
        if (*line == '/' && take_word(&line, path, PATH_MAX))
            return true;
    }
    return false;
}

/* The whole of a file of the kernel's, owned by the caller; NULL: cannot. */
static char *read_text(const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FREE char *text = NULL;
    size_t used = 0, capacity = 0;

    if (fd < 0)
        return NULL;
    for (;;) {
        ssize_t n;

        if (capacity - used < 2) {
            char *more = realloc(text, capacity + 65536);

            if (!more || capacity > MAX_TEXT_BYTES)
                return NULL;
            text = more;
            capacity += 65536;
        }
        n = read(fd, text + used, capacity - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NULL;
        used += (size_t)n;
        text[used] = '\0';
        if (n == 0)
            return TAKE_PTR(text);
    }
}

static bool is_device(const char *path, dev_t device)
{
    struct stat st;

    return *path == '/' && stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
           st.st_rdev == device;
}

bool device_in_use_as_swap_file(const char *path)
{
    AUTO_FREE char *text = read_text("/proc/swaps");
    const char *at = text;
    char swap[PATH_MAX];
    struct stat st, own;

    if (stat(path, &own) < 0)
        return false;
    while (at && device_in_use_next_swap(&at, swap))
        if (stat(swap, &st) == 0 && st.st_dev == own.st_dev &&
            st.st_ino == own.st_ino)
            return true;
    return false;
}

static bool find_mount(dev_t device, const char *what, char *why, size_t len)
{
    AUTO_FREE char *text = read_text("/proc/self/mountinfo");
    const char *at = text;
    struct device_in_use_mount mount;

    while (at && device_in_use_next_mount(&at, &mount))
        if (makedev(mount.major, mount.minor) == device ||
            is_device(mount.source, device)) {
            snprintf(why, len, "%smounted on %s", what, mount.point);
            return true;
        }
    return false;
}

static bool find_swap(dev_t device, const char *what, char *why, size_t len)
{
    AUTO_FREE char *text = read_text("/proc/swaps");
    const char *at = text;
    char path[PATH_MAX];

    while (at && device_in_use_next_swap(&at, path))
        if (is_device(path, device)) {
            snprintf(why, len, "%sused for swap", what);
            return true;
        }
    return false;
}

static void close_directory(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* The next name that is not hidden; NULL at the end, or without a dir. */
static const char *next_name(DIR *dir)
{
    const struct dirent *entry;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            return entry->d_name;
    return NULL;
}

static bool find_holder(const char *sysfs, const char *what, char *why,
                        size_t len)
{
    AUTO(close_directory) DIR *dir = NULL;
    AUTO_FREE char *mapped = NULL;
    char path[PATH_MAX];
    const char *holder;

    snprintf(path, sizeof(path), "%s/holders", sysfs);
    dir = opendir(path);
    holder = next_name(dir);
    if (!holder)
        return false;
    snprintf(path, sizeof(path), "%s/holders/%s/dm/name", sysfs, holder);
    mapped = read_text(path);
    if (mapped)
        mapped[strcspn(mapped, "\n")] = '\0';
    snprintf(why, len, "%sin use by %s%s%s%s", what, holder, mapped ? " (" : "",
             mapped ? mapped : "", mapped ? ")" : "");
    return true;
}

static bool find_user(dev_t device, const char *what, char *why, size_t len)
{
    char sysfs[64];

    snprintf(sysfs, sizeof(sysfs), "/sys/dev/block/%u:%u", major(device),
             minor(device));
    return find_mount(device, what, why, len) ||
           find_swap(device, what, why, len) ||
           find_holder(sysfs, what, why, len);
}

/* A partition is a directory in its disk's, and says where it begins. */
static bool read_partition(const char *disk, const char *name, dev_t *device)
{
    char path[PATH_MAX];
    AUTO_FREE char *text = NULL;
    unsigned major_number, minor_number;

    snprintf(path, sizeof(path), "%s/%s/partition", disk, name);
    if (access(path, F_OK) < 0)
        return false;
    snprintf(path, sizeof(path), "%s/%s/dev", disk, name);
    text = read_text(path);
    if (!text || !parse_numbers(text, &major_number, &minor_number))
        return false;
    *device = makedev(major_number, minor_number);
    return true;
}

bool device_in_use_find(dev_t device, char *why, size_t why_len)
{
    AUTO(close_directory) DIR *dir = NULL;
    char sysfs[64], what[NAME_MAX + 32];
    const char *name;
    dev_t partition;

    if (find_user(device, "", why, why_len))
        return true;
    snprintf(sysfs, sizeof(sysfs), "/sys/dev/block/%u:%u", major(device),
             minor(device));
    dir = opendir(sysfs);
    while ((name = next_name(dir))) {
        snprintf(what, sizeof(what), "partition %s is ", name);
        if (read_partition(sysfs, name, &partition) &&
            find_user(partition, what, why, why_len))
            return true;
    }
    return false;
}
