/* clonewire-source - sends a disk to a clonewire-target. */
#include <stdio.h>

#include "clonewire-source/extent_map.h"
#include "clonewire-source/http_target.h"
#include "clonewire-source/options.h"
#include "clonewire-source/pairing_argument.h"
#include "clonewire-source/ssh_launch.h"
#include "output/report.h"
#include "output/terminal.h"
#include "program/confirm_overwrite.h"
#include "program/program.h"

static int inspect(struct process *process, const struct source_config *config)
{
    struct cw_inspection inspection;
    struct cw_error error;

    if (cw_source_inspect(&config->options, config->fs_overhead_ppm,
                          &inspection, &error) < 0)
        return process_fail(process, &error);
    answer_inspection(&inspection, config->json, stdout);
    return 0;
}

static int print_digest(struct process *process,
                        const struct source_config *config)
{
    struct cw_error error = { 0 };
    char text[CW_DIGEST_CHARS];

    if (cw_source_digest(&config->options, text, &error) < 0)
        return process_fail(process, &error);
    printf("%s\n", text);
    return 0;
}

static int check_receipt(struct process *process, struct source_config *config)
{
    struct cw_receipt receipt;
    struct cw_error error;

    if (cw_source_check_receipt(&config->options, config->check_receipt,
                                answer_difference, &config->json, &receipt,
                                &error) < 0)
        return process_fail(process, &error);
    answer_receipt(&receipt, config->options.image, config->json, stdout);
    return 0;
}

static int draw_extent(void *opaque, uint64_t offset, uint64_t length,
                       bool is_zero)
{
    if (!is_zero)
        map_add_data(opaque, offset, length);
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

static int show_map(struct process *process, const struct source_config *config)
{
    static struct map map; /* a large one */
    struct cw_inspection inspection;
    struct cw_error error;
    char title[512];

    if (cw_source_inspect(&config->options, 0, &inspection, &error) < 0)
        return process_fail(process, &error);
    if (!config->json)
        map_init(&map, inspection.virtual_bytes, terminal_columns(1));
    if (cw_source_map(&config->options,
                      config->json ? list_extent : draw_extent, &map,
                      &error) < 0)
        return process_fail(process, &error);
    snprintf(title, sizeof(title), "%s: %s", config->options.image,
             inspection.format);
    if (config->json)
        printf("%s]\n", inspection.virtual_bytes == 0 ? "[" : "");
    else
        map_print(&map, title, stdout);
    return 0;
}

static int copy_here(struct process *process, struct source_config *config)
{
    struct cw_error error = { 0 };
    struct cw_job *job;
    struct error err;

    if (config->options.target)
        return process_misused(process, "--to (CLONEWIRE_TO) and HOST:PORT: "
                                        "give one of them");
    if (config->options.delta || config->options.changed_extents)
        return process_misused(process, "--delta and --changed-extents are "
                                        "for a clone to HOST:PORT, not for "
                                        "--to (CLONEWIRE_TO)");
    config->local.fs_overhead_ppm = config->fs_overhead_ppm;
    process_get_events(process, &config->options.events);
    job = cw_local_open(&config->options, &config->local, &error);
    if (!job || consent_get(process, &config->local, config->yes, &err) == 0)
        return process_run(process, job, &error);
    cw_close(job);
    return process_refused(process, &err);
}

static int send_disk(struct process *process, struct source_config *config,
                     struct paste *paste)
{
    struct cw_error error = { 0 };
    struct cw_job *job;

    process_get_events(process, &config->options.events);
    job = cw_source_open(&config->options, &error);
    paste_wipe(paste, config);
    return process_run(process, job, &error);
}

static int send_via(struct process *process, struct source_config *config)
{
    struct paste paste;
    struct error err;
    struct via via;
    int status;

    if (via_start(&via, config, &paste, &err) < 0 ||
        paste_cut(&paste, config, &err) < 0)
        status = process_refused(process, &err);
    else
        status = send_disk(process, config, &paste);
    via_finish(&via, status == 0);
    return status;
}

int main(int argc, char **argv)
{
    struct source_config config = { 0 };
    struct paste paste;
    struct process process;
    struct error err;
    int status;

    (void)argc;
    status = process_open(&process, "source", &source_program, argv, &config,
                          &config.output);
    if (status != PROCESS_GO_ON)
        return status;

    if (config.doctor)
        return answer_doctor(config.options.image, config.json, stdout);
    if (!config.options.image)
        return process_misused(&process, "IMAGE (CLONEWIRE_IMAGE) is missing, "
                                         "try --help");
    if (config.map)
        return show_map(&process, &config);
    if (config.inspect)
        return inspect(&process, &config);
    if (config.digest_only)
        return print_digest(&process, &config);
    if (config.check_receipt)
        return check_receipt(&process, &config);
    if (config.local.destination)
        return copy_here(&process, &config);
    if (config.via)
        return send_via(&process, &config);
    if (paste_settle(&paste, &config, argv, &err) < 0)
        return process_misused(&process, err.text);
    if (!config.options.target)
        return process_misused(&process, "HOST:PORT (CLONEWIRE_TARGET) is "
                                         "missing, try --help");
    if (url_is(config.options.target))
        return url_send(&process, &config);
    return send_disk(&process, &config, &paste);
}
