#include "program/termination_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "output/json_writer.h"
#include "output/standard_streams.h"
#include "output/summary.h"

static void add_success(struct json *json, const struct cw_summary *summary)
{
    const char *preallocation = summary->preallocation;

    json_add_text(json, "message", "clone complete");
    json_add_text(json, "kind", "success");
    json_add_number(json, "bytes", summary->data_bytes);
    json_add_number(json, "disk_bytes", summary->disk_bytes);
    json_add_number(json, "verified_bytes", summary->verified_bytes);
    json_add_text(json, "digest", summary->digest);
    if (summary->is_mixed)
        json_add_bool(json, "notOfOneMoment", true);
    if (preallocation) {
        json_add_text(json, "preallocation", preallocation);
        json_add_bool(json, "preallocationApplied",
                      strcmp(preallocation, "off") != 0);
    }
    json_add_thousandths(json, "duration_seconds",
                         summary->elapsed_ns / CLOCK_MS_NS);
}

static void add_failure(struct json *json, const struct cw_error *error,
                        const struct cw_progress *progress)
{
    json_add_text(json, "message", error->text);
    summary_add_error(json, error);
    json_add_number(json, "bytes", progress->data_bytes);
    json_add_number(json, "disk_bytes", progress->disk_bytes);
    json_add_thousandths(json, "duration_seconds",
                         progress->elapsed_ns / CLOCK_MS_NS);
}

static void add_deadline(struct json *json)
{
    json_add_text(json, "message", "deadline passed: no source came");
    json_add_text(json, "kind", "deadline");
    json_add_bool(json, "retryable", true);
    json_add_bool(json, "deadlinePassed", true);
}

const char *termination_format(const struct termination *termination,
                               char buf[TERMINATION_BYTES])
{
    struct json json;

    json_open(&json, buf, TERMINATION_BYTES);
    json_add_text(&json, "side", termination->side);
    if (termination->error)
        add_failure(&json, termination->error, termination->progress);
    else if (termination->summary)
        add_success(&json, termination->summary);
    else
        add_deadline(&json);
    return json_close(&json);
}

int termination_write(const char *path, const char *text)
{
    AUTO_FD int fd = -1;
    struct stat st;

    if (!path && (stat(TERMINATION_DEFAULT, &st) < 0 || !S_ISREG(st.st_mode)))
        return 0;
    fd = open(path ? path : TERMINATION_DEFAULT,
              O_WRONLY | O_TRUNC | O_CLOEXEC | (path ? O_CREAT : 0), 0644);
    if (fd < 0)
        return -errno;
    return standard_streams_write(fd, text, strlen(text));
}

bool termination_save(struct log_output *log, const char *path,
                      const char *text)
{
    int r = termination_write(path, text);

    if (r < 0)
        log_output_printf(log, CW_LOG_WARN, "cannot write %s: %s",
                          path ? path : TERMINATION_DEFAULT,
                          strerrordesc_np(-r));
    return r == 0;
}
