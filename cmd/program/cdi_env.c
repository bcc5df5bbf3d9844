#include "program/cdi_env.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "options/common_options.h"
#include "output/standard_streams.h"
#include "program/hardening.h"
#include "program/run_job.h"
#include "program/sandbox.h"
#include "program/side_files.h"
#include "program/termination_log.h"

#define DEFAULT_SCRATCH "/scratch" /* where CDI mounts a scratch volume */

#define VERBOSE_LEVEL 5 /* minimum klog level for debug lines */

const char *cdi_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value != '\0' ? value : NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static void print_help(const struct cdi_program *program)
{
    const struct cdi_setting *setting = program->settings;

    printf("Usage: %s%s [ARGUMENT OF KLOG]...\n\n"
           "Stands in for KubeVirt CDI's program of that name, with the data "
           "path of clonewire.\nIts settings are environment variables:\n\n",
           program->name, program->arguments);
    for (; setting->name; setting++)
        printf("  %-27s %s\n", setting->name, setting->meaning);
}

static int end_answer(const char *program)
{
    int r = standard_streams_flush(-1);

    if (r == 0)
        return 0;
    fprintf(stderr, "%s: cannot print on standard output: %s\n", program,
            strerrordesc_np(-r));
    return CDI_FATAL;
}

/*
 * Handles --version and --help (also -h and -help, as Go programs do) in the
 * arguments.  Returns the exit status; -1: neither is present.
 */
static int answer(const struct cdi_program *program, const char *const *argv)
{
    static const char *const versions[] = { "--version", "-version", NULL };
    static const char *const helps[] = { "--help", "-help", "-h", NULL };

    for (argv++; argv[-1] && *argv; argv++) {
        if (is_one_of(*argv, versions))
            printf("%s (clonewire) %s\n", program->name, cw_version());
        else if (is_one_of(*argv, helps))
            print_help(program);
        else
            continue;
        return end_answer(program->name);
    }
    return -1;
}

bool cdi_bool(const char *text, bool *value)
{
    static const char *const words[][6] = {
        { "0", "f", "F", "false", "FALSE", "False" },
        { "1", "t", "T", "true", "TRUE", "True" },
    };

    for (int is_true = 0; is_true < 2; is_true++)
        for (int i = 0; i < 6; i++)
            if (strcmp(text, words[is_true][i]) == 0) {
                *value = is_true;
                return true;
            }
    return false;
}

void cdi_warn_invalid(struct log_output *log, const char *name,
                      const char *value, const char *instead)
{
    log_output_printf(log, CW_LOG_WARN, "%s: cannot read \"%.80s\": %s", name,
                      value, instead);
}

bool cdi_read_bool(struct log_output *log, const char *name, bool value)
{
    const char *text = cdi_env(name);

    if (!text || cdi_bool(text, &value))
        return value;
    cdi_warn_invalid(log, name, text, "taken as false");
    return false;
}

void cdi_read_number(struct log_output *log, const char *name,
                     bool (*parse)(const char *text, uint64_t *value),
                     uint64_t *value)
{
    const char *text = cdi_env(name);

    if (text && !parse(text, value))
        cdi_warn_invalid(log, name, text, "taken as the default");
}

void cdi_target_of(const char *url, char *target, size_t len)
{
    const char *host = strstr(url, "://");
    const char *bracket;
    size_t used;

    host = host ? host + 3 : url;
    snprintf(target, len, "%.*s", (int)strcspn(host, "/?#"), host);
    bracket = strchr(target, ']');
    used = strlen(target);
    if (!strchr(bracket ? bracket : target, ':'))
        snprintf(target + used, len - used, ":443");
}

/* Returns the N of -v=N, --v=N; NULL: another argument. */
static const char *verbosity_in(const char *argument)
{
    if (strncmp(argument, "--", 2) == 0)
        argument++;
    return strncmp(argument, "-v=", 3) == 0 ? argument + 3 : NULL;
}

enum cw_log_level cdi_log_level(const char *const *argv)
{
    uint64_t level = 0;

    for (; *argv; argv++) {
        const char *number = verbosity_in(*argv);

        if ((strcmp(*argv, "-v") == 0 || strcmp(*argv, "--v") == 0) && argv[1])
            number = argv[1];
        if (number && !parse_count(number, &level))
            level = 0;
    }
    return level >= VERBOSE_LEVEL ? CW_LOG_DEBUG : CW_LOG_INFO;
}

int cdi_check_termination_log(const char *disk, struct error *err)
{
    const char *path = cdi_env("CLONEWIRE_TERMINATION_LOG");

    if (!path)
        path = TERMINATION_DEFAULT;
    if (!side_files_is_disk(path, disk))
        return 0;
    return error_set(
        err, ERROR_USAGE, 0,
        "CLONEWIRE_TERMINATION_LOG: %s is the disk %s, or a part of "
        "it: name another file",
        path, disk);
}

/* Sets CDI's mode on a regular file; /dev/null stays world-writable. */
static void make_private(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        (void)chmod(path, 0600);
}

void cdi_write_termination_log(struct log_output *log, const char *text)
{
    const char *path = cdi_env("CLONEWIRE_TERMINATION_LOG");

    if (termination_save(log, path, text) && path)
        make_private(path);
}

/* What the process may touch, in the words of the option table. */
static struct cdi_files {
    const char *image;
    const char *destination;
    const char *scratch;
    const char *termination_log;
    struct cw_security security;
} files;

static const struct option_row file_rows[] = {
    { "IMAGE", 0, NULL, NULL, NULL, OPTION_ARGUMENT, NULL,
      OPTION_FIELD(struct cdi_files, image), 0, 0, "" },
    { "DEST", 0, NULL, NULL, NULL, OPTION_ARGUMENT, NULL,
      OPTION_FIELD(struct cdi_files, destination), 0, 0, "" },
    { "scratch", 0, NULL, "DIR", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cdi_files, scratch), 0, 0, "" },
    { "termination-log", 0, NULL, "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cdi_files, termination_log), 0, 0, "" },
    { 0 },
};

static const struct option_group file_groups[] = {
    { "", file_rows, 0 },
    { "", common_options_security, offsetof(struct cdi_files, security) },
    { 0 },
};

static const struct option_program file_program = { .groups = file_groups };

static enum common_options_sandbox sandbox_mode(struct log_output *log)
{
    const char *text = cdi_env("CLONEWIRE_SANDBOX");

    if (text && strcmp(text, "off") == 0)
        return COMMON_OPTIONS_SANDBOX_OFF;
    if (text && strcmp(text, "require") == 0)
        return COMMON_OPTIONS_SANDBOX_REQUIRE;
    if (text && strcmp(text, "auto") != 0)
        cdi_warn_invalid(log, "CLONEWIRE_SANDBOX", text, "taken as auto");
    return COMMON_OPTIONS_SANDBOX_AUTO;
}

void cdi_confine(struct log_output *log, const char *image,
                 const char *destination, const struct cw_security *security)
{
    const char *scratch = cdi_env("CLONEWIRE_SCRATCH");

    files = (struct cdi_files){
        .image = image,
        .destination = destination,
        .scratch = scratch ? scratch : DEFAULT_SCRATCH,
        .termination_log = cdi_env("CLONEWIRE_TERMINATION_LOG"),
        .security = *security,
    };
    sandbox_set(sandbox_mode(log), &file_program, &files);
}

/* A stop was requested, but I/O on the disk does not complete. */
static void on_late(void *opaque, int number)
{
    (void)number;
    log_output_line(opaque, CW_LOG_ERROR,
                    "stopped by request; the disk was not waited for");
    log_output_flush(opaque);
}

static void on_log(void *opaque, enum cw_log_level level, const char *line)
{
    log_output_line(opaque, level, line);
}

void cdi_get_events(struct log_output *log, enum cw_log_level level,
                    struct cw_events *events)
{
    *events = (struct cw_events){
        .log = on_log,
        .opaque = log,
        .log_level = level,
    };
}

int cdi_main(const struct cdi_program *program, const char *const *argv)
{
    struct log_output log;
    struct error err;
    int status;

    standard_streams_open();
    hardening_apply();
    status = answer(program, argv);
    if (status >= 0)
        return status;
    log_output_init(&log, STDERR_FILENO, false, program->side);
    if (run_job_open(on_late, &log, &err) < 0 ||
        log_output_start(&log, &err) < 0) {
        log_output_line(&log, CW_LOG_ERROR, err.text);
        return CDI_FATAL;
    }
    status = program->run(&log, argv);
    log_output_flush(&log);
    return status;
}
