#include "cdi-uploadserver/env.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "options/common_options.h"
#include "program/cdi_env.h"

#define DEFAULT_DESTINATION "/data/disk.img"
#define DEFAULT_PORT        8443U
#define DEFAULT_SCRATCH     "/scratch"

const struct cdi_setting env_settings[] = {
    { "TLS_KEY_FILE", "private key of the server, PEM" },
    { "TLS_CERT_FILE", "certificate of the server, PEM" },
    { "CLIENT_CERT_FILE", "CA certificates for clients, PEM" },
    { "CLIENT_NAME", "name that the client's certificate must have" },
    { "FILESYSTEM_OVERHEAD", "share that a filesystem uses itself: 0.06" },
    { "UPLOAD_IMAGE_SIZE", "requested size of the volume: 2Gi" },
    { "PREALLOCATION", "true: reserve the disk's space" },
    { "TLS_CIPHERS", "ciphers to allow, separated by commas" },
    { "TLS_MIN_VERSION", "VersionTLS12, or VersionTLS13" },
    { "DEADLINE", "exit if no client came by then: 2027-01-31T12:00:00Z" },
    { "DESTINATION", "file or block device: " DEFAULT_DESTINATION },
    { "LISTEN_ADDRESS", "address to listen on: 0.0.0.0, all" },
    { "LISTEN_PORT", "port to listen on: 8443" },
    { "CLONEWIRE_METRICS_LISTEN", "also serve /healthz, /readyz and /metrics "
                                  "on this address: :9443" },
    { "CLONEWIRE_KEEP_SETID",
      "true: keep setuid bits and file capabilities of files" },
    { "CLONEWIRE_SCRATCH",
      "directory for uploads that are read more than once: " DEFAULT_SCRATCH },
    { "CLONEWIRE_STALL_TIMEOUT", "how long to wait for bytes: 5m" },
    { "CLONEWIRE_TERMINATION_LOG", "file instead of /dev/termination-log" },
    { "CLONEWIRE_SANDBOX", "auto, require, or off" },
    { 0 },
};

static int read_security(struct cw_security *security, struct error *err)
{
    const char *oldest = cdi_env("TLS_MIN_VERSION");

    security->cert_file = cdi_env("TLS_CERT_FILE");
    security->key_file = cdi_env("TLS_KEY_FILE");
    security->ca_file = cdi_env("CLIENT_CERT_FILE");
    security->peer_name = cdi_env("CLIENT_NAME");
    security->ciphers = cdi_env("TLS_CIPHERS");
    security->allow_tls12 = !oldest || strcmp(oldest, "VersionTLS13") != 0;
    security->http = true;
    if (!security->cert_file || !security->key_file || !security->ca_file)
        error_set(err, ERROR_USAGE, 0,
                  "invalid TLS config: TLS_CERT_FILE, TLS_KEY_FILE and "
                  "CLIENT_CERT_FILE must name files");
    else if (!security->peer_name)
        error_set(err, ERROR_USAGE, 0,
                  "CLIENT_NAME is not set: every client of the CA could write "
                  "the volume; set it to the name in the client's certificate");
    else
        return 0;
    return 1;
}

static void read_sizes(struct cw_target_options *options,
                       struct log_output *log)
{
    const char *overhead = cdi_env("FILESYSTEM_OVERHEAD");

    if (overhead && !parse_ppm(overhead, &options->fs_overhead_ppm))
        cdi_warn_invalid(log, "FILESYSTEM_OVERHEAD", overhead, "taken as 0");
    options->fs_overhead_ppm = common_options_overhead(
        options->fs_overhead_ppm);
    cdi_read_number(log, "UPLOAD_IMAGE_SIZE", parse_quantity,
                    &options->volume_bytes);
}

/* As CDI does, which continues with its default. */
static uint64_t read_port(struct log_output *log)
{
    const char *text = cdi_env("LISTEN_PORT");
    uint64_t port;

    if (!text)
        return DEFAULT_PORT;
    if (parse_count(text, &port) && port <= UINT16_MAX)
        return port;
    cdi_warn_invalid(log, "LISTEN_PORT", text, "taken as the default, 8443");
    return DEFAULT_PORT;
}

static void read_listen(struct env *env, struct log_output *log)
{
    const char *address = cdi_env("LISTEN_ADDRESS");
    bool is_v6 = address && strchr(address, ':') && address[0] != '[';

    /* 0.0.0.0 means all addresses, IPv6 included. */
    if (!address || strcmp(address, "0.0.0.0") == 0)
        address = "[::]";
    snprintf(env->listen, sizeof(env->listen), "%s%s%s:%" PRIu64,
             is_v6 ? "[" : "", address, is_v6 ? "]" : "", read_port(log));
    env->options.listen = env->listen;
}

int env_read(struct env *env, struct log_output *log, struct error *err)
{
    struct cw_target_options *options = &env->options;
    const char *destination = cdi_env("DESTINATION");
    const char *scratch = cdi_env("CLONEWIRE_SCRATCH");
    const char *deadline = cdi_env("DEADLINE");

    options->destination = destination ? destination : DEFAULT_DESTINATION;
    if (cdi_check_termination_log(options->destination, err) < 0)
        return 1;
    options->scratch_dir = scratch ? scratch : DEFAULT_SCRATCH;
    options->overwrite = true; /* an earlier run may have left a file */
    read_sizes(options, log);
    read_listen(env, log);
    options->keep_setid = cdi_read_bool(log, "CLONEWIRE_KEEP_SETID", false);
    if (cdi_read_bool(log, "PREALLOCATION", false))
        options->preallocate = CW_PREALLOCATE_AUTO;
    cdi_read_number(log, "CLONEWIRE_STALL_TIMEOUT", parse_duration,
                    &options->tuning.stall_ns);
    if (deadline && !parse_time(deadline, &options->deadline_unix_ns)) {
        error_set(err, ERROR_USAGE, 0, "Failed to parse deadline: \"%.80s\"",
                  deadline);
        return CDI_FATAL;
    }
    return read_security(&options->security, err);
}
