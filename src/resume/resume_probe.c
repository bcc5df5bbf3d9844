#include "resume/resume_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "io/file.h"
#include "record/checkpoint_file.h"
#include "record/finish_mark.h"
#include "sink/sink.h"
#include "sink/target_path.h"

/* True if head names the file or device that is at path now. */
static bool is_of(const struct checkpoint_head *head, const char *path)
{
    char identity[SINK_IDENTITY_BYTES];

    return sink_identify_path(path, identity) &&
           strcmp(identity, head->sink) == 0;
}

/* True if the file was not written after its record, if there is one, and no VM
 * uses it. */
static bool is_untouched(const char *record_path, const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    struct stat record, file;

    if (fd < 0 || fstat(fd, &file) < 0 || file_has_guest(fd, false))
        return false;
    if (stat(record_path, &record) < 0)
        return errno == ENOENT;
    return file.st_mtim.tv_sec < record.st_mtim.tv_sec ||
           (file.st_mtim.tv_sec == record.st_mtim.tv_sec &&
            file.st_mtim.tv_nsec <= record.st_mtim.tv_nsec);
}

/* Uses the mark if the record is removed or belongs to an earlier clone. */
static bool find_finished(const char *record, const char *path,
                          struct checkpoint_head *head)
{
    if (checkpoint_file_look(record, head) && checkpoint_is_finished(head) &&
        is_of(head, path))
        return true;
    return finish_mark_get(record, head) && checkpoint_is_finished(head) &&
           is_of(head, path);
}

static bool is_resumable(const struct cw_target_options *options)
{
    return (options->resume == CW_RESUME_AUTO ||
            options->resume == CW_RESUME_TRUST) &&
           !options->delta;
}

enum resume_probe resume_probe_look(const struct cw_target_options *options,
                                    struct checkpoint_head *head)
{
    const char *path = options->destination;
    AUTO_FREE char *record = NULL;
    struct error ignored;
    struct target_path place;
    bool is_device;

    if (target_path_look(path, &place, &ignored) < 0 ||
        place.kind == TARGET_PATH_NOTHING)
        return RESUME_PROBE_NOTHING;
    is_device = place.kind == TARGET_PATH_DEVICE;
    if (is_device && !options->state_dir)
        return RESUME_PROBE_NOTHING;
    record = target_path_state(path, options->state_dir);
    if (!record)
        return RESUME_PROBE_NOTHING;
    if (find_finished(record, path, head) &&
        (is_device || is_untouched(record, path)))
        return is_device ? RESUME_PROBE_FINISHED_DEVICE
                         : RESUME_PROBE_FINISHED_FILE;
    return is_device && is_resumable(options) &&
                   checkpoint_file_look(record, head) && is_of(head, path)
               ? RESUME_PROBE_DEVICE
               : RESUME_PROBE_NOTHING;
}
