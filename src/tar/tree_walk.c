#include "tar/tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "io/directory.h"

#define DIRECTORY  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PATH_BYTES 4096U

/* A directory on the current path of the walk. */
struct level {
    int fd; /* owned */
    char **names;
    size_t count, next;
    size_t path_len; /* of the walk's path, "/" included */
};

struct tree_walk {
    const char *directory;
    const char *const *skip;
    const char *first;
    struct level levels[TREE_WALK_DEPTH];
    unsigned depth;
    bool enters; /* the last entry was a directory: enter it */
    char path[PATH_BYTES];
};

static inline void auto_walk(struct tree_walk **walk)
{
    tree_walk_close(*walk);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_skipped(const struct tree_walk *walk, const char *name)
{
    if (walk->depth > 1)
        return false;
    for (const char *const *s = walk->skip; *s; s++)
        if (strcmp(name, *s) == 0)
            return true;
    return false;
}

static int add_name(struct level *level, const char *name)
{
    char **names;

    if ((level->count & (level->count + 1)) == 0) { /* 0, 1, 3, 7, ... */
        names = realloc(level->names, 2 * (level->count + 1) * sizeof(*names));
        if (!names)
            return -ENOMEM;
        level->names = names;
    }
    level->names[level->count] = strdup(name);
    if (!level->names[level->count])
        return -ENOMEM;
    level->count++;
    return 0;
}

/* Moves name, if it is there, before all others. */
static void move_first(struct level *level, const char *name)
{
    for (size_t i = 1; i < level->count; i++)
        if (strcmp(level->names[i], name) == 0) {
            char *found = level->names[i];

            memmove(level->names + 1, level->names, i * sizeof(*level->names));
            level->names[0] = found;
            return;
        }
}

static int read_names(const struct tree_walk *walk, struct level *level)
{
    AUTO(auto_closedir) DIR *dir = directory_open(level->fd, ".");
    const char *name;
    int r = 0;

    if (!dir)
        return -errno;
    while (r == 0 && (name = directory_next(dir)))
        if (!is_skipped(walk, name))
            r = add_name(level, name);
    if (r == 0)
        r = -errno;
    if (r < 0 || level->count == 0)
        return r;
    qsort(level->names, level->count, sizeof(*level->names), by_name);
    if (walk->depth == 1)
        move_first(level, walk->first);
    return 0;
}

/* Enters the directory fd, which is moved, also on failure. */
static int enter(struct tree_walk *walk, int fd, size_t path_len)
{
    struct level *level = &walk->levels[walk->depth++];

    *level = (struct level){ .fd = fd, .path_len = path_len };
    return fd < 0 ? -errno : read_names(walk, level);
}

static void leave(struct tree_walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];

    for (size_t i = 0; i < level->count; i++)
        free(level->names[i]);
    free(level->names);
    if (level->fd >= 0)
        close(level->fd);
}

static int walk_failed(int r, const char *directory, const char *path,
                       struct error *err)
{
    return error_set(err, r == -ENOMEM ? ERROR_SYSTEM : ERROR_SOURCE_IO, -r,
                     "read %s/%s", directory, path);
}

int tree_walk_open(const char *directory, const char *const *skip,
                   const char *first, struct tree_walk **walk,
                   struct error *err)
{
    AUTO(auto_walk) struct tree_walk *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "walk %s", directory);
    w->directory = directory;
    w->skip = skip;
    w->first = first;
    r = enter(w, open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
    if (r < 0)
        return walk_failed(r, directory, "", err);
    *walk = TAKE_PTR(w);
    return 0;
}

/* Enters the directory that was returned last. */
static int go_down(struct tree_walk *walk, struct error *err)
{
    const struct level *level = &walk->levels[walk->depth - 1];
    size_t len = strlen(walk->path);
    int r;

    walk->enters = false;
    if (walk->depth == TREE_WALK_DEPTH)
        return error_set(err, ERROR_FORMAT, 0, "%s/%s: more than %u deep",
                         walk->directory, walk->path, TREE_WALK_DEPTH);
    r = enter(walk, openat(level->fd, walk->path + level->path_len, DIRECTORY),
              len + 1);
    if (r < 0)
        return walk_failed(r, walk->directory, walk->path, err);
    walk->path[len] = '/'; /* fits: names begin after it */
    return 0;
}

static int put_name(struct tree_walk *walk, const struct level *level,
                    const char *name, struct error *err)
{
    size_t len = strlen(name);

    /* Leaves room for a "/" in case it is a directory. */
    if (len + 2 > sizeof(walk->path) - level->path_len)
        return error_set(err, ERROR_FORMAT, 0, "%s/%s: too long a path",
                         walk->directory, walk->path);
    memcpy(walk->path + level->path_len, name, len + 1);
    return 0;
}

int tree_walk_next(struct tree_walk *walk, struct tree_walk_entry *entry,
                   struct error *err)
{
    struct level *level;

    if (walk->enters && go_down(walk, err) < 0)
        return -1;
    for (;;) {
        level = &walk->levels[walk->depth - 1];
        if (level->next < level->count)
            break;
        if (walk->depth == 1)
            return 0;
        leave(walk);
    }
    entry->name = level->names[level->next++];
    entry->dir_fd = level->fd;
    entry->path = walk->path;
    if (put_name(walk, level, entry->name, err) < 0)
        return -1;
    if (fstatat(level->fd, entry->name, &entry->stat, AT_SYMLINK_NOFOLLOW) < 0)
        return walk_failed(-errno, walk->directory, walk->path, err);
    walk->enters = S_ISDIR(entry->stat.st_mode);
    return 1;
}

void tree_walk_close(struct tree_walk *walk)
{
    if (!walk)
        return;
    while (walk->depth > 0)
        leave(walk);
    free(walk);
}
