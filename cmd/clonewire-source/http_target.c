#include "clonewire-source/http_target.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "program/cdi_env.h"

#define SCHEME "https://"

bool url_is(const char *target)
{
    return strncmp(target, SCHEME, strlen(SCHEME)) == 0;
}

/* Returns the option that HTTP does not support, or NULL: none is set. */
static const char *excess(const struct source_config *config)
{
    const struct cw_source_options *options = &config->options;

    if (strcmp(options->image, "-") == 0)
        return "standard input cannot be sent to a URL: give a file";
    if (options->bytes_per_second > 0 || options->rate_file)
        return "--rate and --rate-file are not for a URL";
    if (options->follow_ns != 0)
        return "--follow is not for a URL";
    if (options->changed_extents || options->delta || options->bitmap)
        return "--delta, --changed-extents and --bitmap are not for a URL";
    if (config->output.receipt)
        return "--receipt is not for a URL: by HTTP there is no digest";
    return NULL;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The target speaks clonewire/1. */
static int send_to_ours(struct program *process, struct source_config *config,
                        bool is_tree)
{
    struct cw_source_options *options = &config->options;
    char target[300], disk[4096];
    struct cw_error error = { 0 };

    cdi_target_of(options->target, target, sizeof(target));
    options->target = target;
    if (is_tree) {
        snprintf(disk, sizeof(disk), "%s/%s", options->image,
                 CW_VOLUME_DISK_NAME);
        options->image = disk;
        options->no_link = true;
        options->format = CW_FORMAT_RAW;
    }
    return program_run(process, cw_source_open(options, &error), &error);
}

int url_send(struct program *process, struct source_config *config)
{
    const struct cw_source_options *options = &config->options;
    const char *mistake = excess(config);
    struct cw_volume_options volume = {
        .path = options->image,
        .is_tree = is_directory(options->image),
        .disk = options,
        .url = options->target,
        .security = options->security,
        .tuning = options->tuning,
        .connect_timeout_ns = options->connect_timeout_ns,
        .allow_in_use = options->allow_in_use,
    };
    struct cw_error error = { 0 };
    int status;

    if (mistake)
        return program_misused(process, mistake);
    program_get_events(process, &config->options.events);
    volume.events = options->events;
    status = program_try(process, cw_volume_open(&volume, &error), &error);
    return status == PROGRAM_GO_ON
               ? send_to_ours(process, config, volume.is_tree)
               : status;
}
