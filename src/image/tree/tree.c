#include "image/tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "image/sparse_map.h"
#include "tar/tree_files.h"

/* A smaller file is read as a whole: its holes are found as zeros. */
#define MAP_MIN_BYTES (UINT64_C(64) << 10)
/* For what a lane has in flight, and for the small files of a chunk. */
#define OPEN_FILES 32U

struct tree_image {
    struct image image;     /* first: callers hold this */
    struct tree_index *own; /* owned; NULL: another's is used */
    struct tree_files *files;
    int dir_fd;             /* owned */
    enum cw_holes holes;    /* may they be skipped unread? */
    bool allow_in_use;      /* or changed */
    struct io_queue *queue; /* borrowed */

    struct sparse_map checked; /* of this file: all of its map is walked */
    size_t checked_number;
};

bool tree_image_is(const struct image_options *options)
{
    struct stat st;

    return !options->input && strcmp(options->path, "-") != 0 &&
           stat(options->path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- the map ---- */

/* Lanes go from file to file, so that each checks a file once. */
static struct sparse_map start_map(struct tree_image *t, size_t number,
                                   const struct file *file)
{
    struct sparse_map holes;

    sparse_map_init(&holes, file);
    if (t->checked_number == number)
        sparse_map_learn(&holes, &t->checked);
    else
        sparse_map_check(&holes, t->holes,
                         tree_index_path(t->image.tree, number));
    return holes;
}

/* Adds the extents of [offset, end) of the disk, which lie in a file: its end
 * stands for the gap behind it. */
static int map_file(struct tree_image *t, size_t number, uint64_t offset,
                    uint64_t end, struct extent_list *out, struct error *err)
{
    const struct tree_file *f = &t->image.tree->files[number];
    struct sparse_map holes;
    struct file *file;
    int r = tree_files_borrow(t->files, number, &file);

    if (r < 0)
        return error_set(err, ERROR_SOURCE_IO, -r, "open %s in %s",
                         tree_index_path(t->image.tree, number), t->image.path);
    holes = start_map(t, number, file);
    for (r = 0; r == 0 && offset < end;) {
        struct extent run;
        int e = sparse_map_at(&holes, offset - f->offset, &run);

        if (e < 0) {
            r = error_set_at(
                err, e == -ENODATA ? ERROR_CHANGED : ERROR_SOURCE_IO, -e,
                offset, "look for holes of %s in %s",
                tree_index_path(t->image.tree, number), t->image.path);
            break;
        }
        run.offset += f->offset;
        if (run.offset + run.length == f->offset + f->size_bytes ||
            run.length > end - offset)
            run.length = end - offset;
        r = sparse_map_add_rounded(out, &run, t->image.virtual_bytes, err);
        offset += run.length;
    }
    t->checked = holes;
    t->checked_number = number;
    tree_files_release(t->files, file);
    return r;
}

/* Where the file, and the gap behind it, ends. */
static uint64_t end_of_file(const struct tree_index *index, size_t number)
{
    return number + 1 < index->count ? index->files[number + 1].offset
                                     : index->virtual_bytes;
}

static int tree_map(struct image *img, uint64_t offset, uint64_t length,
                    struct extent_list *out, struct error *err)
{
    struct tree_image *t = (struct tree_image *)img;
    const struct tree_index *index = img->tree;
    uint64_t end = offset + length, from = offset;

    for (size_t n = tree_index_find(index, offset);
         n < index->count && index->files[n].offset < end; n++) {
        const struct tree_file *f = &index->files[n];
        uint64_t to = end_of_file(index, n);

        if (f->size_bytes < MAP_MIN_BYTES)
            continue;
        if (offset < f->offset)
            offset = f->offset;
        if (extent_list_add(out, from, offset - from, EXTENT_DATA, err) < 0)
            return -1;
        from = to < end ? to : end;
        if (map_file(t, n, offset, from, out, err) < 0)
            return -1;
        offset = from;
    }
    return extent_list_add(out, from, end - from, EXTENT_DATA, err);
}

/* ---- reads ---- */

static void note_failure(void *opaque, const char *path, uint64_t offset, int r)
{
    struct tree_image *t = opaque;
    struct error err;

    if (r == -ENODATA)
        error_set(&err, ERROR_CHANGED, 0, "%s became shorter while it was read",
                  path);
    else
        error_set(&err, ERROR_SOURCE_IO, -r, "read %s at %" PRIu64, path,
                  offset);
    image_fail(&t->image, &err);
}

static void tree_read(struct image *img, struct io *io)
{
    struct tree_image *t = (struct tree_image *)img;

    tree_files_submit(t->files, t->queue, io);
}

/* ---- has it changed? ---- */

/* The first file that is another now; NULL: only others' attributes are. */
static const char *find_changed(const struct tree_index *then,
                                const struct tree_index *now)
{
    for (size_t i = 0; i < then->count; i++)
        if (i >= now->count ||
            strcmp(tree_index_path(then, i), tree_index_path(now, i)) != 0 ||
            then->files[i].size_bytes != now->files[i].size_bytes)
            return tree_index_path(then, i);
    return NULL;
}

/* Times to a nanosecond are in the index, so it changes with each file. */
static int tree_check(const struct image *img, struct error *err)
{
    const struct tree_image *t = (const struct tree_image *)img;
    struct tree_index *now;
    const char *name;

    if (t->allow_in_use || !t->own)
        return 0;
    if (tree_index_make(img->path, false, &now, err) < 0)
        return error_wrap(err, "%s", img->path);
    if (tree_index_is_equal(t->own, now)) {
        tree_index_free(now);
        return 0;
    }
    name = find_changed(t->own, now);
    error_set(err, ERROR_CHANGED, 0,
              "%s: a file in it was written to, added or removed while it was "
              "read%s%s",
              img->path, name ? ", at or before " : "", name ? name : "");
    tree_index_free(now);
    return -1;
}

/* ---- opening and closing ---- */

static void tree_image_close(struct image *img)
{
    struct tree_image *t = (struct tree_image *)img;

    tree_files_close(t->files);
    tree_index_free(t->own);
    if (t->dir_fd >= 0)
        close(t->dir_fd);
    free(t);
}

static const struct image_ops tree_ops = {
    .name = "tree",
    .map = tree_map,
    .read = tree_read,
    .check = tree_check,
    .close = tree_image_close,
};

static int tree_check_wish(const struct image_options *options,
                           struct error *err)
{
    const char *what = NULL;

    if (options->format != CW_FORMAT_AUTO && options->format != CW_FORMAT_RAW)
        what = "--format";
    else if (options->compression != IMAGE_COMPRESSION_AUTO &&
             options->compression != IMAGE_COMPRESSION_NONE)
        what = "--compression";
    else if (options->stream_bytes > 0)
        what = "--size";
    if (!what)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s is a directory, which is copied file by file: leave "
                     "%s out, or name a file in it",
                     options->path, what);
}

/* The index that is given, that of the first image, or a new one. */
static int tree_find_index(struct tree_image *t,
                           const struct image_options *options,
                           struct error *err)
{
    t->image.tree = options->tree;
    if (!t->image.tree && options->like)
        t->image.tree = options->like->tree;
    if (t->image.tree)
        return 0;
    if (tree_index_make(options->path, options->allow_in_use, &t->own, err) < 0)
        return error_wrap(err, "%s", options->path);
    t->image.tree = t->own;
    log_info("%s: a directory, read as a disk of %zu files that are not empty",
             options->path, t->own->count);
    return 0;
}

static int tree_open_files(struct tree_image *t,
                           const struct image_options *options,
                           struct error *err)
{
    const struct tree_files_options wish = {
        .dir_fd = t->dir_fd,
        .index = t->image.tree,
        .max_open = OPEN_FILES,
        .failed = note_failure,
        .opaque = t,
    };

    t->holes = options->holes;
    t->allow_in_use = options->allow_in_use;
    t->queue = options->queue;
    t->checked_number = SIZE_MAX;
    return tree_files_open(&wish, &t->files, err);
}

int tree_image_open(const struct image_options *options, struct image **img,
                    struct error *err)
{
    struct tree_image *t;

    *img = NULL;
    if (tree_check_wish(options, err) < 0)
        return -1;
    t = calloc(1, sizeof(*t));
    if (!t)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    t->image.ops = &tree_ops;
    t->image.path = options->path;
    t->dir_fd = open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->dir_fd < 0)
        error_set(err, ERROR_SOURCE_IO, errno, "open %s", options->path);
    if (t->dir_fd < 0 || tree_find_index(t, options, err) < 0 ||
        tree_open_files(t, options, err) < 0) {
        tree_image_close(&t->image);
        return -1;
    }
    t->image.format = CW_FORMAT_RAW;
    t->image.compression = IMAGE_COMPRESSION_NONE;
    t->image.virtual_bytes = t->image.host_bytes = t->image.tree->virtual_bytes;
    t->image.mode = CW_IO_MODE_BUFFERED;
    snprintf(t->image.format_text, sizeof(t->image.format_text), "directory");
    *img = &t->image;
    return 0;
}
