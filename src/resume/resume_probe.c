#include "resume/resume_probe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "io/file.h"
#include "record/checkpoint_file.h"
#include "sink/sink.h"
#include "sink/target_path.h"

/* Does the record at state name what is at path now? */
static bool is_of(const char *state, const char *path)
{
    char identity[SINK_IDENTITY_BYTES];
    struct checkpoint_head head;

    return checkpoint_file_look(state, &head) &&
           sink_identify_path(path, identity) &&
           strcmp(identity, head.sink) == 0;
}

/* The record was written last. */
static bool is_untouched(const char *state, const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat record, file;

    if (fd < 0 || fstat(fd, &file) < 0 || stat(state, &record) < 0 ||
        file_has_guest(fd, false))
        return false;
    return file.st_mtim.tv_sec < record.st_mtim.tv_sec ||
           (file.st_mtim.tv_sec == record.st_mtim.tv_sec &&
            file.st_mtim.tv_nsec <= record.st_mtim.tv_nsec);
}

enum resume_probe resume_probe_look(const struct cw_target_options *options)
{
    AUTO_FREE char *state = NULL;
    struct error ignored;
    struct target_path place;

    if ((options->resume != CW_RESUME_AUTO &&
         options->resume != CW_RESUME_TRUST) ||
        options->delta ||
        target_path_look(options->destination, &place, &ignored) < 0)
        return RESUME_PROBE_NOTHING;
    if (place.kind == TARGET_PATH_DEVICE
            ? !options->state_dir
            : place.kind != TARGET_PATH_FILE || options->overwrite)
        return RESUME_PROBE_NOTHING;
    state = target_path_state(options->destination, options->state_dir);
    if (!state || !is_of(state, options->destination))
        return RESUME_PROBE_NOTHING;
    if (place.kind == TARGET_PATH_DEVICE)
        return RESUME_PROBE_DEVICE;
    return is_untouched(state, options->destination) ? RESUME_PROBE_FINISHED
                                                     : RESUME_PROBE_NOTHING;
}
