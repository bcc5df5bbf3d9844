/*
 * cdi-uploadserver - a clonewire-target that replaces KubeVirt CDI's upload
 * server, with the same environment, messages and statuses.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cdi-uploadserver/env.h"
#include "program/cdi_env.h"
#include "program/run_job.h"
#include "program/signals.h"

#define FAILED 1

static void print_error(struct log_output *log, const char *text)
{
    log_output_printf(log, CW_LOG_ERROR, "UploadServer failed: %s", text);
}

/* The controller parses this text: do not extend it. */
static void leave_success(struct log_output *log,
                          const struct cw_summary *summary)
{
    bool is_upload = strcmp(summary->arrival, "upload") == 0;
    struct json json;
    char buf[256];

    json_open(&json, buf, sizeof(buf));
    json_add_bool(&json, "preallocationApplied",
                  strcmp(summary->preallocation, "off") != 0);
    json_add_text(&json, "message",
                  is_upload ? "Upload Complete" : "Clone Complete");
    cdi_write_termination_log(log, json_close(&json));
}

static void leave_deadline(struct log_output *log)
{
    struct json json;
    char buf[256];

    json_open(&json, buf, sizeof(buf));
    json_add_bool(&json, "deadlinePassed", true);
    json_add_text(&json, "message", "Deadline Passed");
    cdi_write_termination_log(log, json_close(&json));
    log_output_line(log, CW_LOG_INFO, "deadline passed: no client came");
}

static void report_success(struct log_output *log,
                           const struct cw_summary *summary)
{
    leave_success(log, summary);
    log_output_printf(
        log, CW_LOG_INFO, "%s complete: %s, %llu bytes%s%s, preallocation %s",
        summary->arrival, summary->image_format,
        (unsigned long long)summary->disk_bytes, summary->digest[0] ? ", " : "",
        summary->digest, summary->preallocation);
}

static int run(struct log_output *log, const struct cw_target_options *options)
{
    struct cw_summary summary;
    struct cw_error error;
    int r = run_job(cw_target_open(options, &error), &summary, &error);

    if (r < 0) {
        print_error(log, error.text);
        return signals_caught() ? 128 + signals_caught() : FAILED;
    }
    if (r > 0)
        leave_deadline(log);
    else
        report_success(log, &summary);
    return 0;
}

static int serve(struct log_output *log, const char *const *arguments)
{
    static struct env env;
    struct error err;
    int status = env_read(&env, log, &err);

    umask(0); /* a disk is 0660: accessible to its group */
    if (status != 0) {
        print_error(log, err.text);
        return status;
    }
    cdi_get_events(log, cdi_log_level(arguments), &env.options.events);
    env.options.events.metrics_listen = cdi_env("CLONEWIRE_METRICS_LISTEN");
    cdi_confine(log, NULL, env.options.destination, &env.options.security);
    return run(log, &env.options);
}

int main(int argc, char **argv)
{
    const struct cdi_program program = {
        .name = "cdi-uploadserver",
        .arguments = "",
        .side = "target",
        .settings = env_settings,
        .run = serve,
    };

    (void)argc;
    return cdi_main(&program, (const char *const *)argv);
}
