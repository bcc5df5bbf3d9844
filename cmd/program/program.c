#include "program/program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "options/help.h"
#include "output/standard_streams.h"
#include "output/summary.h"
#include "program/hardening.h"
#include "program/run_job.h"
#include "program/sandbox.h"
#include "program/side_files.h"
#include "program/signals.h"
#include "program/termination_log.h"

/* The disk is done: do not wait long for a reader of the summary. */
#define SUMMARY_PATIENCE_MS 10000

static void print_version(const char *name, bool as_json)
{
    struct json json;
    char buf[256];

    if (!as_json) {
        printf("%s %s\n", name, cw_version());
        return;
    }
    json_open(&json, buf, sizeof(buf));
    json_add_text(&json, "name", name);
    json_add_text(&json, "version", cw_version());
    printf("%s\n", json_close(&json));
}

/* "--version --json" means "--version=json", though an action ends parsing. */
static bool is_said(char **argv, const char *word)
{
    while (*argv)
        if (strcmp(*argv++, word) == 0)
            return true;
    return false;
}

/* Writes the termination log; summary and error may be NULL. */
static void save_termination_log(struct program *process,
                                 const struct cw_summary *summary,
                                 const struct cw_error *error)
{
    struct cw_progress progress;
    const struct termination termination = {
        .side = process->log.side,
        .error = error,
        .summary = summary,
        .progress = &progress,
    };
    char buf[TERMINATION_BYTES];

    if (process->no_termination_log)
        return;

    /* The job may still be running: see on_stop_timeout(). */
    pthread_mutex_lock(&process->lock);
    progress = process->progress;
    pthread_mutex_unlock(&process->lock);
    termination_save(&process->log, process->output.termination_log,
                     termination_format(&termination, buf));
}

int program_fail(struct program *process, const struct cw_error *error)
{
    save_termination_log(process, NULL, error);
    log_output_error(&process->log, error);
    return error->status;
}

/* Reports an error from before there was a job.  Returns the exit status. */
static int fail(struct program *process, const struct error *err)
{
    struct cw_error error = {
        .status = (int)err->kind,
        .kind = error_kind_name(err->kind),
        .hint = error_hint(err->kind),
        .offset = err->offset,
    };

    memcpy(error.text, err->text, sizeof(error.text));
    return program_fail(process, &error);
}

/* An error of this machine: ERROR_SYSTEM. */
static int fail_to_print(struct program *process, int r)
{
    struct error err;

    error_set(&err, ERROR_SYSTEM, 0,
              "cannot print the answer on standard output: %s; send it "
              "elsewhere",
              strerrordesc_np(-r));
    return fail(process, &err);
}

int program_close(struct program *process, int status)
{
    int r;

    log_output_flush(&process->log);
    r = standard_streams_flush(process->has_run ? SUMMARY_PATIENCE_MS : -1);
    if (r == 0 || status != 0)
        return status;
    if (!process->has_run)
        return fail_to_print(process, r);
    log_output_printf(&process->log, CW_LOG_WARN,
                      "cannot print the summary on standard output: %s",
                      strerrordesc_np(-r));
    log_output_flush(&process->log);
    return status;
}

/* Returns the exit status. */
static int perform(struct program *process,
                   const struct option_program *program,
                   enum option_action action)
{
    switch (action) {
    case OPTION_ACTION_HELP:
    case OPTION_ACTION_HELP_MARKDOWN:
    case OPTION_ACTION_HELP_MAN:
    case OPTION_ACTION_HELP_BASH:
    case OPTION_ACTION_HELP_ZSH:
    case OPTION_ACTION_HELP_FISH: help_print(program, action, stdout); break;
    case OPTION_ACTION_VERSION: print_version(program->name, false); break;
    case OPTION_ACTION_VERSION_JSON: print_version(program->name, true); break;
    case OPTION_ACTION_RUN: break;
    }
    return program_close(process, 0);
}

/* A stop was requested, but I/O on the disk does not complete. */
static void on_stop_timeout(void *opaque, int number)
{
    struct cw_error error = {
        .status = 128 + number,
        .kind = error_kind_name(ERROR_CANCELLED),
        .hint = error_hint(ERROR_CANCELLED),
        .offset = UINT64_MAX,
        .retryable = true,
        .text = "stopped by request; the disk was not waited for",
    };

    program_fail(opaque, &error);
}

/* Logs warnings of a query without a job. */
static void on_warning(void *opaque, enum cw_log_level level, const char *line)
{
    struct program *process = opaque;

    log_output_line(&process->log, (enum cw_log_level)level, line);
}

/* Also after another error: reporting it would write to these files. */
static int check_side_files(struct program *process,
                            const struct option_program *program,
                            const void *config, struct error *err)
{
    const struct common_options_output *output = &process->output;
    const char *word = output->termination_log;
    struct error ignored;

    process->no_termination_log = side_files_check_path(
                                      program, config, "",
                                      word ? word : TERMINATION_DEFAULT,
                                      &ignored) < 0;
    return side_files_check(program, config, progress_display_fd(output), err);
}

int program_open(struct program *process, const char *side,
                 const struct option_program *program, char **argv,
                 void *config, const struct common_options_output *output)
{
    struct error err, later;
    int r;

    standard_streams_open();
    hardening_apply();
    process->extra = NULL;
    process->has_run = false;
    r = option_parse(program, (const char *const *)argv, config, &err);
    process->output = *output;
    process->progress = (struct cw_progress){ 0 };
    pthread_mutex_init(&process->lock, NULL);
    log_output_init(&process->log, STDERR_FILENO,
                    output->log_format == COMMON_OPTIONS_LOG_JSON, side);
    if (check_side_files(process, program, config, r < 0 ? &later : &err) < 0)
        r = -1;
    if (r < 0)
        return fail(process, &err);
    if (output->action == OPTION_ACTION_VERSION && is_said(argv, "--json"))
        return perform(process, program, OPTION_ACTION_VERSION_JSON);
    if (output->action != OPTION_ACTION_RUN)
        return perform(process, program, output->action);
    if (!progress_display_is_possible(output))
        return program_misused(process, "--progress (CLONEWIRE_PROGRESS): no "
                                        "such file descriptor is open");
    progress_display_init(&process->display, &process->log, output);
    if (run_job_open(on_stop_timeout, process, &err) < 0 ||
        log_output_start(&process->log, &err) < 0 ||
        progress_display_start(&process->display, &err) < 0)
        return fail(process, &err);
    sandbox_set(output->sandbox, program, config);
    log_open(on_warning, process, output->quiet ? CW_LOG_ERROR : CW_LOG_WARN);
    return PROGRAM_GO_ON;
}

int program_refused(struct program *process, const struct error *err)
{
    return fail(process, err);
}

int program_misused(struct program *process, const char *text)
{
    struct error err;

    error_set(&err, ERROR_USAGE, 0, "%s", text);
    return fail(process, &err);
}

static void on_job_log(void *opaque, enum cw_log_level level, const char *line)
{
    struct program *process = opaque;

    log_output_line(&process->log, level, line);
}

/*
 * A program that stopped on a signal reports that in its status, whatever error
 * followed.
 */
static void blame_signal(struct cw_error *error)
{
    int number = signals_caught();

    if (number == 0)
        return;
    error->status = 128 + number;
    error->kind = error_kind_name(ERROR_CANCELLED);
    error->hint = error_hint(ERROR_CANCELLED);
    error->retryable = true;
}

static void on_stuck(void *opaque, const struct cw_error *error)
{
    struct cw_error end = *error;

    blame_signal(&end);
    _exit(program_fail(opaque, &end));
}

static void on_progress(void *opaque, const struct cw_progress *progress)
{
    struct program *process = opaque;

    pthread_mutex_lock(&process->lock);
    process->progress = *progress;
    pthread_mutex_unlock(&process->lock);
    progress_display_update(&process->display, progress);
}

static enum cw_log_level min_level(const struct common_options_output *output)
{
    if (output->quiet)
        return CW_LOG_ERROR;
    return output->verbose ? CW_LOG_DEBUG : CW_LOG_INFO;
}

void program_get_events(struct program *process, struct cw_events *events)
{
    *events = (struct cw_events){
        .log = on_job_log,
        .progress = on_progress,
        .stuck = on_stuck,
        .opaque = process,
        .log_level = min_level(&process->output),
        .metrics_listen = process->output.metrics_listen,
        .receipt = process->output.receipt,
    };
}

static void tell_summary(struct program *process,
                         const struct cw_summary *summary)
{
    struct json json;
    char buf[4096];

    if (process->output.quiet)
        return;
    if (process->log.is_json) {
        log_output_open_json(&process->log, &json, buf, sizeof(buf));
        json_add_text(&json, "event", "summary");
        summary_add_json(summary, &json);
        printf("%s\n", json_close(&json));
    } else {
        summary_print(summary, stdout);
    }
}

/* Reports the result of cw_run(). */
static int end(struct program *process, int r, const struct cw_summary *summary,
               struct cw_error *error)
{
    progress_display_finish(&process->display);
    process->has_run = true;
    if (r < 0) {
        blame_signal(error);
        return program_fail(process, error);
    }
    save_termination_log(process, r == 0 ? summary : NULL, NULL);
    if (r == 0)
        tell_summary(process, summary);
    else if (!process->output.quiet)
        log_output_line(&process->log, CW_LOG_INFO,
                        "deadline passed: no source came");
    return 0;
}

int program_run(struct program *process, struct cw_job *job,
                struct cw_error *error)
{
    struct cw_summary summary = { 0 };
    int r = run_job(job, &summary, error);

    return end(process, r, &summary, error);
}

int program_try(struct program *process, struct cw_job *job,
                struct cw_error *error)
{
    struct cw_summary summary = { 0 };
    int r = run_job(job, &summary, error);

    return r > 0 ? PROGRAM_GO_ON : end(process, r, &summary, error);
}
