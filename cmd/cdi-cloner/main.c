/*
 * cdi-cloner - a source that replaces KubeVirt CDI's cloner, with the same
 * environment, messages and statuses.  Without arguments it also replaces its
 * start-up script.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cdi-cloner/settings.h"
#include "program/cdi_env.h"
#include "program/run_job.h"
#include "program/signals.h"

/* The controller parses the second half: do not change it. */
#define COMPLETE     "Clone Complete"
#define PREALLOCATED COMPLETE ", Preallocation applied"

/* Asks the target for its protocol first, and then uses that. */
static int clone_volume(const struct settings *settings,
                        struct cw_summary *summary, struct cw_error *error)
{
    int r = run_job(cw_volume_open(&settings->volume, error), summary, error);

    return r > 0 ? run_job(cw_source_open(&settings->source, error), summary,
                           error)
                 : r;
}

static void report_success(struct log_output *log,
                           const struct settings *settings,
                           const struct cw_summary *summary)
{
    cdi_write_termination_log(log, settings->is_preallocated ? PREALLOCATED
                                                             : COMPLETE);
    log_output_printf(
        log, CW_LOG_INFO,
        "%s: %s, %llu bytes of data, %llu of zeros, %llu on the wire%s%s",
        COMPLETE, summary->image_format,
        (unsigned long long)summary->data_bytes,
        (unsigned long long)summary->zero_bytes,
        (unsigned long long)summary->wire_bytes, summary->digest[0] ? ", " : "",
        summary->digest);
}

/* The kubelet takes the last line as the termination message, which the
 * controller searches for CDI's words. */
static void print_error(struct log_output *log, const struct cw_error *error)
{
    bool is_full = error->status == ERROR_NO_SPACE &&
                   !strstr(error->text, ERROR_NO_SPACE_CDI);

    log_output_printf(log, CW_LOG_ERROR, "%s%s",
                      is_full ? ERROR_NO_SPACE_CDI ": " : "", error->text);
}

static int send_volume(struct log_output *log, const char *const *arguments)
{
    static struct settings settings;
    struct cw_summary summary = { 0 };
    struct cw_error error = { 0 };
    struct cw_events events;
    struct error err;
    int status = settings_read(&settings, arguments, log, &err);

    if (status != 0) {
        log_output_line(log, CW_LOG_ERROR, err.text);
        return status;
    }
    cdi_get_events(log, cdi_log_level(arguments), &events);
    events.metrics_listen = settings.metrics_listen;
    events.cdi_owner_uid = settings.owner_uid;
    settings.volume.events = settings.source.events = events;
    cdi_confine(log, settings.volume.path, NULL, &settings.volume.security);
    if (clone_volume(&settings, &summary, &error) == 0) {
        report_success(log, &settings, &summary);
        return 0;
    }
    print_error(log, &error);
    return signals_caught() ? 128 + signals_caught() : CDI_FATAL;
}

int main(int argc, char **argv)
{
    const struct cdi_program program = {
        .name = "cdi-cloner",
        .arguments = " [-content-type TYPE] [-mount PATH] [-upload-bytes N]",
        .side = "source",
        .settings = settings_known,
        .run = send_volume,
    };

    (void)argc;
    return cdi_main(&program, (const char *const *)argv);
}
