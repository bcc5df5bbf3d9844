#include "tar/safe_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIRECTORY  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define IMPLIED    0755 /* mode of directories missing from the stream, as tar */
#define NAME_BYTES 256
#define MAX_LINKS  40 /* followed for one path, as the kernel */

/*
 * Copies the next component of *path, without ".", and moves past it.  Returns
 * 0 at the end.
 */
static int next_name(const char **path, char name[NAME_BYTES])
{
    size_t len;

    for (;;) {
        *path += strspn(*path, "/");
        len = strcspn(*path, "/");
        if (len != 1 || (*path)[0] != '.')
            break;
        *path += len;
    }
    if (len == 0)
        return 0;
    if (len >= NAME_BYTES)
        return -ENAMETOOLONG;
    memcpy(name, *path, len);
    name[len] = '\0';
    *path += len;
    return 1;
}

static bool is_up(const char *name)
{
    return strcmp(name, "..") == 0;
}

/* ---- the directory of a path ---- */

struct walk {
    int root_fd; /* borrowed */
    int fd;      /* where it is; owned */
    bool make;
    unsigned depth;                  /* of fd below the root */
    unsigned links;                  /* followed */
    char todo[SAFE_PATH_PATH_BYTES]; /* the rest of the path */
};

/* Takes next as the current directory, unless it is an errno. */
static int go(struct walk *w, int next, unsigned depth)
{
    if (next < 0)
        return -errno;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = next;
    w->depth = depth;
    return 0;
}

static int go_to_root(struct walk *w)
{
    return go(w, openat(w->root_fd, ".", DIRECTORY), 0);
}

/* ".." of a link's target; of the root it is the root. */
static int step_up(struct walk *w)
{
    return w->depth == 0 ? 0
                         : go(w, openat(w->fd, "..", DIRECTORY), w->depth - 1);
}

static int step_into(struct walk *w, const char *name)
{
    int next = openat(w->fd, name, DIRECTORY);

    if (next < 0 && errno == ENOENT && w->make) {
        if (mkdirat(w->fd, name, IMPLIED) < 0)
            return -errno;
        next = openat(w->fd, name, DIRECTORY);
    }
    return go(w, next, w->depth + 1);
}

/* Puts the target of the link name in front of rest, which is in todo. */
static int follow(struct walk *w, const char *name, const char *rest)
{
    char target[SAFE_PATH_PATH_BYTES];
    ssize_t n = readlinkat(w->fd, name, target, sizeof(target));
    size_t len = strlen(rest) + 1;

    if (n < 0)
        return errno == EINVAL ? -ENOTDIR : -errno;
    if (++w->links > MAX_LINKS)
        return -ELOOP;
    if ((size_t)n + 1 + len > sizeof(w->todo))
        return -ENAMETOOLONG;
    memmove(w->todo + n + 1, rest, len);
    memcpy(w->todo, target, (size_t)n);
    w->todo[n] = '/';
    return target[0] == '/' ? go_to_root(w) : 0;
}

static int walk_to_end(struct walk *w)
{
    char name[NAME_BYTES];
    const char *rest = w->todo;
    int r;

    while ((r = next_name(&rest, name)) > 0) {
        r = is_up(name) ? step_up(w) : step_into(w, name);
        if (r == -ENOTDIR || r == -ELOOP) {
            r = follow(w, name, rest);
            rest = w->todo;
        }
        if (r < 0)
            return r;
    }
    return r;
}

/* ---- a name in it ---- */

/* Moves the last component of path, which may have no "..", to name.  Returns
 * the length of what stands before it, or -errno. */
static ssize_t split(const char *path, char name[NAME_BYTES])
{
    const char *at = path, *last = path;
    int r;

    name[0] = '\0';
    for (;;) {
        const char *before = at;

        r = next_name(&at, name);
        if (r <= 0)
            return r < 0 ? r : last - path;
        if (is_up(name))
            return -EXDEV;
        last = before;
    }
}

int safe_path_open(struct safe_path *place, int dir_fd, const char *path,
                   bool make)
{
    struct walk w = { .root_fd = dir_fd, .fd = -1, .make = make };
    ssize_t len;
    int r;

    place->fd = -1;
    if (strlen(path) >= sizeof(w.todo))
        return -ENAMETOOLONG;
    len = split(path, place->name);
    if (len < 0)
        return (int)len;
    if (place->name[0] == '\0')
        return 1;
    memcpy(w.todo, path, (size_t)len);
    r = go_to_root(&w);
    if (r == 0)
        r = walk_to_end(&w);
    if (r == 0)
        place->fd = take_fd(&w.fd);
    if (w.fd >= 0)
        close(w.fd);
    return r;
}

void safe_path_close(struct safe_path *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}
