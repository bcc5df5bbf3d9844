#include "program/confirm_overwrite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "program/prompt.h"

/* "/dev/sdb: 931.5 GiB, Samsung SSD 870, serial S5Y1; not in use; holds ..." */
static void describe(const char *path, const struct cw_destination *found,
                     char *buf, size_t len)
{
    char size[32];

    snprintf(buf, len, "%s: %s%s%s%s%s; not mounted or in use; holds %s", path,
             format_bytes(size, sizeof(size), found->size_bytes),
             found->model[0] ? ", " : "", found->model,
             found->serial[0] ? ", serial " : "", found->serial,
             found->contents);
}

/* Returns whether the target may find an unfinished clone of its source. */
static bool may_resume(const struct cw_target_options *options)
{
    return options->resume != CW_RESUME_OFF && !options->delta;
}

static int ask(struct program *process, const char *path, const char *text,
               struct error *err)
{
    log_output_flush(&process->log);
    fprintf(stderr, "%s\n", text);
    if (prompt_yes(
            "Everything on it will be overwritten.  Continue? (yes/no) "))
        return 0;
    return error_set(err, ERROR_REFUSED, 0,
                     "%s is not overwritten: the answer was no", path);
}

int confirm_overwrite_get(struct program *process,
                          const struct cw_target_options *options,
                          bool is_given, struct error *err)
{
    const char *path = options->destination;
    struct cw_destination found;
    struct cw_error ignored; /* opening the destination reported it */
    char text[640];

    if (cw_target_look(options, &found, &ignored) < 0 || !found.is_block_device)
        return 0;
    describe(path, &found, text, sizeof(text));
    if (!is_given && !options->only_resume && prompt_is_possible())
        return ask(process, path, text, err);
    if (!process->output.quiet)
        log_output_line(&process->log, CW_LOG_INFO, text);
    if (is_given || found.is_blank)
        return 0;
    if (options->only_resume && may_resume(options)) {
        if (!process->output.quiet)
            log_output_line(&process->log, CW_LOG_INFO,
                            "resuming only an unfinished clone of this source; "
                            "--yes (CLONEWIRE_YES=1) overwrites it");
        return 0;
    }
    return error_set(err, ERROR_REFUSED, 0,
                     "%s holds %s: say --yes (CLONEWIRE_YES=1) to overwrite it",
                     path, found.contents);
}
