#include "program/side_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clonewire/clonewire.h"
#include "options/value.h"

#define STDIN_PATH "/proc/self/fd/0"

/* Path of a receipt's digests. */
#define CHUNKS_SUFFIX ".chunks"

bool side_files_is_disk(const char *path, const char *disk)
{
    char inside[4096];

    if (strcmp(disk, "-") == 0)
        disk = STDIN_PATH;
    /* A volume over HTTP. */
    snprintf(inside, sizeof(inside), "%s/%s", disk, CW_VOLUME_DISK_NAME);
    return cw_paths_overlap(path, disk) || cw_paths_overlap(path, inside);
}

/* Returns the row's text; NULL: not given, or not a text. */
static const char *text_of(const struct option_row *row,
                           const struct option_group *group, const void *config)
{
    const char *text;

    if (row->kind != OPTION_STRING && row->kind != OPTION_ARGUMENT)
        return NULL;
    memcpy(&text, (const char *)config + group->base_offset + row->field_offset,
           sizeof(text));
    return text;
}

static bool is_disk(const struct option_row *row)
{
    const char *word = row->arg ? row->arg : row->name;

    return strcmp(word, "IMAGE") == 0 || strcmp(word, "DEST") == 0;
}

/* --check-receipt only reads a receipt, so it is not a side file. */
static bool is_file(const struct option_row *row)
{
    return row->arg && strcmp(row->name, "check-receipt") != 0 &&
           (strcmp(row->arg, "FILE") == 0 || strcmp(row->arg, "DIR") == 0);
}

int side_files_check_path(const struct option_program *program,
                          const void *config, const char *what,
                          const char *path, struct error *err)
{
    const struct option_group *group;
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(program, i, &group)); i++) {
        const char *disk = is_disk(row) ? text_of(row, group, config) : NULL;

        if (disk && side_files_is_disk(path, disk))
            return error_set(err, ERROR_USAGE, 0,
                             "%s: %s is the disk %s, or a part of it: name "
                             "another file",
                             what, path, disk);
    }
    return 0;
}

/* Also checks the file next to a receipt. */
static int check_row(const struct option_program *program, const void *config,
                     const struct option_row *row, const char *path,
                     struct error *err)
{
    char beside[4096], what[128];

    option_value_name(row, what, sizeof(what));
    if (side_files_check_path(program, config, what, path, err) < 0)
        return -1;
    snprintf(beside, sizeof(beside), "%s" CHUNKS_SUFFIX, path);
    return strcmp(row->name, "receipt") == 0
               ? side_files_check_path(program, config, what, beside, err)
               : 0;
}

static int check_fd(const struct option_program *program, const void *config,
                    int fd, const char *what, struct error *err)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return side_files_check_path(program, config, what, path, err);
}

/* The refusal itself must not be written over the disk. */
static int check_stderr(const struct option_program *program,
                        const void *config, struct error *err)
{
    int nowhere;

    if (check_fd(program, config, STDERR_FILENO, "standard error", err) == 0)
        return 0;
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        _exit(ERROR_USAGE);
    close(nowhere);
    return -1;
}

int side_files_check(const struct option_program *program, const void *config,
                     int progress_fd, struct error *err)
{
    const struct option_group *group;
    const struct option_row *row;

    if (check_stderr(program, config, err) < 0 ||
        check_fd(program, config, STDOUT_FILENO, "standard output", err) < 0 ||
        (progress_fd >= 0 &&
         check_fd(program, config, progress_fd,
                  "--progress (CLONEWIRE_PROGRESS)", err) < 0))
        return -1;
    for (unsigned i = 0; (row = option_row_at(program, i, &group)); i++) {
        const char *path = is_file(row) ? text_of(row, group, config) : NULL;

        if (path && strcmp(path, "-") != 0 &&
            check_row(program, config, row, path, err) < 0)
            return -1;
    }
    return 0;
}
