#include "io/path_overlap.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/device_stack.h"

#define LINKS_MAX 40U /* the kernel's own limit */

/* What a path refers to. */
struct place {
    bool is_there;
    struct storage storage; /* of the existing file or device */
    dev_t device;           /* else: of its directory */
    ino_t inode;
    char name[NAME_MAX + 1];
};

/* Splits path into its directory and its last name. */
static bool split(const char *path, char directory[PATH_MAX],
                  char name[NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;

    if (strlen(path) >= PATH_MAX || strlen(last) > NAME_MAX || *last == '\0')
        return false;
    snprintf(name, NAME_MAX + 1, "%s", last);
    if (!slash)
        snprintf(directory, PATH_MAX, ".");
    else
        snprintf(directory, PATH_MAX, "%.*s/", (int)(slash - path), path);
    return true;
}

/* Replaces path, a dangling link, by its target.  Returns false if it is not a
 * link. */
static bool follow(char path[PATH_MAX])
{
    char directory[PATH_MAX], name[NAME_MAX + 1], target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    int used;

    if (n < 0 || !split(path, directory, name))
        return false;
    target[n] = '\0';
    used = snprintf(path, PATH_MAX, "%s%s", target[0] == '/' ? "" : directory,
                    target[0] == '/' || strcmp(directory, ".") != 0 ? "" : "/");
    return used < PATH_MAX && snprintf(path + used, PATH_MAX - (size_t)used,
                                       "%s", target) < PATH_MAX - used;
}

/* Handles a file that does not exist but could be created. */
static bool look_for_directory(const char *path, struct place *place)
{
    char directory[PATH_MAX];
    struct stat st;

    if (!split(path, directory, place->name) || stat(directory, &st) < 0)
        return false;
    place->is_there = false;
    place->device = st.st_dev;
    place->inode = st.st_ino;
    return S_ISDIR(st.st_mode);
}

static bool look(const char *text, struct place *place)
{
    char path[PATH_MAX];
    struct stat st;
    unsigned links = 0;

    if (snprintf(path, sizeof(path), "%s", text) >= (int)sizeof(path))
        return false;
    while (stat(path, &st) < 0) {
        if (errno != ENOENT)
            return false;
        if (links++ == LINKS_MAX || !follow(path))
            return look_for_directory(path, place);
    }
    place->is_there = true;
    if (S_ISDIR(st.st_mode) || !device_stack_of_path(path, &place->storage))
        return false;
    place->storage.below = 0; /* for a file: its filesystem is in between */
    return true;
}

bool path_overlap(const char *a, const char *b)
{
    struct place one, other;

    if (!look(a, &one) || !look(b, &other) || one.is_there != other.is_there)
        return false;
    if (one.is_there)
        return device_stack_overlaps(&one.storage, &other.storage);
    return one.device == other.device && one.inode == other.inode &&
           strcmp(one.name, other.name) == 0;
}
