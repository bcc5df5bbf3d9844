/*
 * cdi-cloner - a source that replaces KubeVirt CDI's cloner, with the same
 * environment, messages and statuses.  Without arguments it also replaces its
 * start-up script.
 */
#include <stdio.h>

#include "cdi-cloner/settings.h"
#include "output/standard_streams.h"
#include "program/cdi_env.h"
#include "program/signals.h"

/* The controller parses the second half: do not change it. */
#define COMPLETE     "Clone Complete"
#define PREALLOCATED COMPLETE ", Preallocation applied"

/* Runs job (moved; NULL: *error is filled).  Returns as cw_run() does. */
static int run(struct cw_job *job, struct cw_summary *summary,
               struct cw_error *error)
{
    int r = -1;

    signals_set_job(job);
    if (job)
        r = cw_run(job, summary, error);
    signals_set_job(NULL);
    cw_close(job);
    return r;
}

/* Asks the target for its protocol first, and then uses that. */
static int clone_volume(const struct settings *settings,
                        struct cw_summary *summary, struct cw_error *error)
{
    int r = run(cw_volume_open(&settings->volume, error), summary, error);

    return r > 0 ? run(cw_source_open(&settings->source, error), summary, error)
                 : r;
}

static void tell(struct log_output *log, const struct settings *settings,
                 const struct cw_summary *summary)
{
    char line[512];

    cdi_leave_word(log, settings->is_preallocated ? PREALLOCATED : COMPLETE);
    snprintf(line, sizeof(line),
             "%s: %s, %llu bytes of data, %llu of zeros, %llu on the wire%s%s",
             COMPLETE, summary->image_format,
             (unsigned long long)summary->data_bytes,
             (unsigned long long)summary->zero_bytes,
             (unsigned long long)summary->wire_bytes,
             summary->digest[0] ? ", " : "", summary->digest);
    log_output_line(log, CW_LOG_INFO, line);
}

static int send_volume(struct log_output *log, const char *const *arguments)
{
    static struct settings settings;
    struct cw_summary summary = { 0 };
    struct cw_error error = { 0 };
    struct cw_events events;
    struct error err;
    int status = settings_read(&settings, arguments, &err);

    if (status != 0) {
        log_output_line(log, CW_LOG_ERROR, err.text);
        return status;
    }
    cdi_get_events(log, cdi_log_level(arguments), &events);
    events.metrics_listen = settings.metrics_listen;
    events.cdi_owner_uid = settings.owner_uid;
    settings.volume.events = settings.source.events = events;
    cdi_tell_doubts(&settings.doubts, log);
    if (clone_volume(&settings, &summary, &error) == 0) {
        tell(log, &settings, &summary);
        return 0;
    }
    log_output_line(log, CW_LOG_ERROR, error.text);
    return signals_caught() ? 128 + signals_caught() : CDI_FATAL;
}

int main(int argc, char **argv)
{
    const char *const *arguments = (const char *const *)argv;
    struct log_output log;
    int status;

    (void)argc;
    standard_streams_open();
    status = cdi_answer(arguments, "cdi-cloner",
                        " [-content-type TYPE] [-mount PATH] [-upload-bytes N]",
                        settings_known);
    if (status != CDI_GO_ON)
        return status;
    cdi_open(&log, "source");
    status = send_volume(&log, arguments);
    log_output_flush(&log);
    return status;
}
