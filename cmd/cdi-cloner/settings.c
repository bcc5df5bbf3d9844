#include "cdi-cloner/settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "program/cdi_env.h"

#define SCRIPT_FAILED  1
#define METRICS_LISTEN "[::]:8443"
#define TYPE_DISK      "blockdevice-clone"
#define TYPE_TREE      "filesystem-clone"

const struct cdi_setting settings_known[] = {
    { "VOLUME_MODE", "block, or filesystem" },
    { "MOUNT_POINT", "the block device, or the volume's directory" },
    { "CLIENT_KEY", "private key of the cloner: the PEM text" },
    { "CLIENT_CERT", "certificate of the cloner: the PEM text" },
    { "SERVER_CA_CERT", "CA certificate for the target: the PEM text" },
    { "UPLOAD_URL", "https://host:port/path of the target" },
    { "OWNER_UID", "label of the progress metric" },
    { "PREALLOCATION", "true: also send holes of files" },
    { "CLONEWIRE_METRICS_LISTEN",
      "address that serves the progress: " METRICS_LISTEN },
    { "CLONEWIRE_CONNECT_TIMEOUT", "how long to try to connect: 5m" },
    { "CLONEWIRE_RETRY_FOR", "how long to retry a lost connection: 5m" },
    { "CLONEWIRE_STALL_TIMEOUT", "fail after this long without progress: 5m" },
    { "CLONEWIRE_ALLOW_TLS12", "false: only TLS 1.3" },
    { "CLONEWIRE_ALLOW_IN_USE", "true: read a disk that others may write" },
    { "CLONEWIRE_HTTP_ONLY", "true: use only HTTP, never clonewire/1" },
    { "CLONEWIRE_TERMINATION_LOG", "file instead of /dev/termination-log" },
    { "CLONEWIRE_SANDBOX", "auto, require, or off" },
    { 0 },
};

/* "-mount X", "-mount=X", "--mount=X"; NULL: not given. */
static const char *argument(const char *const *argv, const char *name)
{
    size_t len = strlen(name);

    for (argv++; *argv; argv++) {
        const char *at = *argv;

        if (*at != '-')
            continue;
        at += at[1] == '-' ? 2 : 1;
        if (strncmp(at, name, len) != 0)
            continue;
        if (at[len] == '=')
            return at + len + 1;
        if (at[len] == '\0' && argv[1])
            return argv[1];
    }
    return NULL;
}

/* Prints the message of CDI's start-up script, which this program replaces. */
static int missing(const char *name, struct error *err)
{
    error_set(err, ERROR_USAGE, 0, "%s missing", name);
    return SCRIPT_FAILED;
}

static int read_volume(struct settings *s, const char *const *argv,
                       struct error *err)
{
    const char *type = argument(argv, "content-type");
    const char *path = argument(argv, "mount");
    const char *mode = cdi_env("VOLUME_MODE");
    struct stat st;

    if (!type && !mode)
        return missing("VOLUME_MODE", err);
    if (!path)
        path = cdi_env("MOUNT_POINT");
    if (!path)
        return missing("MOUNT_POINT", err);
    if (!type)
        type = strcmp(mode, "block") == 0 ? TYPE_DISK : TYPE_TREE;
    s->volume.path = path;
    s->volume.is_tree = strcmp(type, TYPE_TREE) == 0;
    if (!s->volume.is_tree && strcmp(type, TYPE_DISK) != 0) {
        error_set(err, ERROR_USAGE, 0, "Invalid content-type \"%.80s\"", type);
        return CDI_FATAL;
    }
    if (stat(path, &st) < 0 || (s->volume.is_tree && !S_ISDIR(st.st_mode))) {
        error_set(err, ERROR_USAGE, 0, "Invalid mount \"%.200s\"", path);
        return CDI_FATAL;
    }
    return cdi_check_termination_log(path, err) < 0 ? CDI_FATAL : 0;
}

static const char *must(const char *name, struct error *err)
{
    const char *value = cdi_env(name);

    if (!value && err->kind == ERROR_NONE)
        error_set(err, ERROR_USAGE, 0, "Error getting env var %s", name);
    return value;
}

static void read_optional(struct settings *s, const char *const *argv,
                          struct log_output *log)
{
    struct cw_volume_options *volume = &s->volume;
    const char *total = argument(argv, "upload-bytes");
    const char *listen = cdi_env("CLONEWIRE_METRICS_LISTEN");

    if (total && !parse_count(total, &volume->total_bytes))
        cdi_warn_invalid(log, "-upload-bytes", total, "taken as the default");
    s->is_preallocated = volume->dense = cdi_read_bool(log, "PREALLOCATION",
                                                       false);
    s->metrics_listen = listen ? listen : METRICS_LISTEN;
    volume->security.allow_tls12 = cdi_read_bool(log, "CLONEWIRE_ALLOW_TLS12",
                                                 true);
    volume->security.http_only = cdi_read_bool(log, "CLONEWIRE_HTTP_ONLY",
                                               false);
    volume->allow_in_use = cdi_read_bool(log, "CLONEWIRE_ALLOW_IN_USE", false);
    cdi_read_number(log, "CLONEWIRE_CONNECT_TIMEOUT", parse_duration,
                    &volume->connect_timeout_ns);
    cdi_read_number(log, "CLONEWIRE_RETRY_FOR", parse_duration,
                    &volume->tuning.retry_ns);
    cdi_read_number(log, "CLONEWIRE_STALL_TIMEOUT", parse_duration,
                    &volume->tuning.stall_ns);
}

static void fill_source(struct settings *s)
{
    const struct cw_volume_options *volume = &s->volume;

    cdi_target_of(volume->url, s->target, sizeof(s->target));
    snprintf(s->disk, sizeof(s->disk), "%s%s%s", volume->path,
             volume->is_tree ? "/" : "",
             volume->is_tree ? CW_VOLUME_DISK_NAME : "");
    s->source = (struct cw_source_options){
        .image = s->disk,
        .target = s->target,
        .security = volume->security,
        .tuning = volume->tuning,
        .format = CW_FORMAT_RAW,
        .connect_timeout_ns = volume->connect_timeout_ns,
        .allow_in_use = volume->allow_in_use,
        .copy_mode = volume->is_tree,
        .no_link = volume->is_tree,
    };
    /* A target that speaks clonewire/1 has TLS 1.3. */
    s->source.security.allow_tls12 = false;
}

int settings_read(struct settings *settings, const char *const *argv,
                  struct log_output *log, struct error *err)
{
    struct cw_security *security = &settings->volume.security;
    int status = read_volume(settings, argv, err);

    if (status != 0)
        return status;
    err->kind = ERROR_NONE;
    settings->owner_uid = must("OWNER_UID", err);
    security->key_file = must("CLIENT_KEY", err);
    security->cert_file = must("CLIENT_CERT", err);
    security->ca_file = must("SERVER_CA_CERT", err);
    settings->volume.url = must("UPLOAD_URL", err);
    if (err->kind != ERROR_NONE)
        return CDI_FATAL;
    read_optional(settings, argv, log);
    fill_source(settings);
    return 0;
}
