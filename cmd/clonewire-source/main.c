/* clonewire-source - sends a disk to a clonewire-target. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clonewire-source/extent_map.h"
#include "clonewire-source/http_target.h"
#include "clonewire-source/options.h"
#include "clonewire-source/pairing_argument.h"
#include "clonewire-source/ssh_launch.h"
#include "output/report.h"
#include "output/terminal.h"
#include "program/confirm_overwrite.h"
#include "program/program.h"
#include "program/sandbox.h"

/* What cw_pairing_make() makes begins with this. */
#define CODE_PREFIX "cw1-"

static int inspect(struct program *process, const struct source_config *config)
{
    struct cw_inspection inspection;
    struct cw_error error;

    if (cw_source_inspect(&config->options, config->fs_overhead_ppm,
                          &inspection, &error) < 0)
        return program_fail(process, &error);
    report_inspection(&inspection, config->json, stdout);
    return 0;
}

static int print_digest(struct program *process,
                        const struct source_config *config)
{
    struct cw_error error = { 0 };
    char text[CW_DIGEST_CHARS];

    if (cw_source_digest(&config->options, text, &error) < 0)
        return program_fail(process, &error);
    printf("%s\n", text);
    return 0;
}

static int check_receipt(struct program *process, struct source_config *config)
{
    struct cw_receipt receipt;
    struct cw_error error;

    if (cw_source_check_receipt(&config->options, config->check_receipt,
                                report_difference, &config->json, &receipt,
                                &error) < 0)
        return program_fail(process, &error);
    report_receipt(&receipt, config->options.image, config->json, stdout);
    return 0;
}

static int draw_extent(void *opaque, uint64_t offset, uint64_t length,
                       bool is_zero)
{
    if (!is_zero)
        extent_map_add_data(opaque, offset, length);
    return 0;
}

static int list_extent(void *opaque, uint64_t offset, uint64_t length,
                       bool is_zero)
{
    struct json json;
    char buf[160];

    (void)opaque;
    json_open(&json, buf, sizeof(buf));
    json_add_number(&json, "offset", offset);
    json_add_number(&json, "length", length);
    json_add_text(&json, "type", is_zero ? "zero" : "data");
    return printf("%s%s", offset == 0 ? "[" : ",\n ", json_close(&json));
}

static int show_map(struct program *process, const struct source_config *config)
{
    static struct extent_map map; /* a large one */
    struct cw_inspection inspection;
    struct cw_error error;
    char title[512];

    if (cw_source_inspect(&config->options, 0, &inspection, &error) < 0)
        return program_fail(process, &error);
    if (!config->json)
        extent_map_init(&map, inspection.virtual_bytes, terminal_columns(1));
    if (cw_source_map(&config->options,
                      config->json ? list_extent : draw_extent, &map,
                      &error) < 0)
        return program_fail(process, &error);
    snprintf(title, sizeof(title), "%s: %s", config->options.image,
             inspection.format);
    if (config->json)
        printf("%s]\n", inspection.virtual_bytes == 0 ? "[" : "");
    else
        extent_map_print(&map, title, stdout);
    return 0;
}

static int copy_here(struct program *process, struct source_config *config)
{
    struct cw_error error = { 0 };
    struct cw_job *job;
    struct error err;

    if (config->options.target)
        return program_misused(process, "--to (CLONEWIRE_TO) and HOST:PORT: "
                                        "give one of them");
    program_get_events(process, &config->options.events);
    job = cw_local_open(&config->options, &config->local, &error);
    if (!job ||
        confirm_overwrite_get(process, &config->local, config->yes, &err) == 0)
        return program_run(process, job, &error);
    cw_close(job);
    return program_refused(process, &err);
}

static int send_disk(struct program *process, struct source_config *config,
                     struct pairing_argument *paste)
{
    struct cw_error error = { 0 };
    struct cw_job *job;

    program_get_events(process, &config->options.events);
    job = cw_source_open(&config->options, &error);
    pairing_argument_wipe(paste, config);
    return program_run(process, job, &error);
}

static int send_via(struct program *process, struct source_config *config)
{
    struct pairing_argument paste;
    struct error err;
    struct ssh_launch via;
    int status;

    if (ssh_launch_start(&via, config, &paste, &err) < 0 ||
        pairing_argument_cut(&paste, config, &err) < 0)
        status = program_refused(process, &err);
    else
        status = send_disk(process, config, &paste);
    ssh_launch_finish(&via, status == 0);
    return status;
}

/* Zero is the user's in the options, but the default in the library's. */
static void settle(struct source_config *config)
{
    config->fs_overhead_ppm = common_options_overhead(config->fs_overhead_ppm);
    config->local.fs_overhead_ppm = config->fs_overhead_ppm;
    if (config->options.cross_check == 0)
        config->options.cross_check = CW_CROSS_CHECK_OFF;
}

/* Runs a query instead of a clone.  PROGRAM_GO_ON: none was requested. */
static int answer(struct program *process, struct source_config *config)
{
    struct error err;

    if (config->doctor)
        return report_doctor(config->options.image, config->json, stdout);
    if (!config->options.image)
        return program_misused(process, "IMAGE (CLONEWIRE_IMAGE) is missing, "
                                        "try --help");
    if ((config->map || config->inspect || config->digest_only ||
         config->check_receipt) &&
        sandbox_enter(&err) < 0)
        return program_refused(process, &err);
    if (config->map)
        return show_map(process, config);
    if (config->inspect)
        return inspect(process, config);
    if (config->digest_only)
        return print_digest(process, config);
    if (config->check_receipt)
        return check_receipt(process, config);
    return PROGRAM_GO_ON;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/*
 * Explains arguments that cannot be meant as they stand: a file where the
 * target's address belongs, a place on another machine, both swapped.  NULL:
 * nothing is wrong.
 */
static const char *explain_arguments(const struct cw_source_options *options)
{
    const char *image = options->image, *target = options->target;

    if (strncmp(image, CODE_PREFIX, strlen(CODE_PREFIX)) == 0 ||
        (target && !exists(image) && exists(target)))
        return "IMAGE comes first, then HOST:PORT or the pairing code";
    if (!target || url_is(target) ||
        strncmp(target, CODE_PREFIX, strlen(CODE_PREFIX)) == 0)
        return NULL;
    if (strstr(target, ":/"))
        return "a path on another machine needs --via ssh";
    if (strchr(target, '/') || exists(target))
        return "to copy to a file or device of this machine: --to DEST";
    return NULL;
}

static int run_clone(struct program *process, struct source_config *config,
                     char **argv)
{
    struct pairing_argument paste;
    const char *mistake;
    struct error err;

    if (config->local.destination)
        return copy_here(process, config);
    if (config->via)
        return send_via(process, config);
    mistake = explain_arguments(&config->options);
    if (mistake)
        return program_misused(process, mistake);
    if (pairing_argument_settle(&paste, config, argv, &err) < 0)
        return program_misused(process, err.text);
    if (!config->options.target)
        return program_misused(process, "HOST:PORT (CLONEWIRE_TARGET) is "
                                        "missing, try --help");
    if (url_is(config->options.target))
        return url_send(process, config);
    return send_disk(process, config, &paste);
}

int main(int argc, char **argv)
{
    struct source_config config = { 0 };
    struct program process;
    int status;

    (void)argc;
    status = program_open(&process, "source", &source_program, argv, &config,
                          &config.output);
    if (status != PROGRAM_GO_ON)
        return status;
    settle(&config);
    status = answer(&process, &config);
    if (status == PROGRAM_GO_ON)
        status = run_clone(&process, &config, argv);
    return program_close(&process, status);
}
