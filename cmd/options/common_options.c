#include "options/common_options.h"

#include "base/clock.h"

static const struct option_word tls_versions[] = {
    { "1.3", false },         { "1.2", true }, { "VersionTLS13", false },
    { "VersionTLS12", true }, { NULL, 0 },
};

static const struct option_word aes[] = {
    { "auto", false },
    { "openssl", true },
    { NULL, 0 },
};

static const struct option_word io_engines[] = {
    { "auto", CW_IO_ENGINE_AUTO },
    { "uring", CW_IO_ENGINE_URING },
    { "threads", CW_IO_ENGINE_THREADS },
    { NULL, 0 },
};

static const struct option_word io_modes[] = {
    { "auto", CW_IO_MODE_AUTO },
    { "direct", CW_IO_MODE_DIRECT },
    { "dontcache", CW_IO_MODE_DONTCACHE },
    { "buffered", CW_IO_MODE_BUFFERED },
    { NULL, 0 },
};

static const struct option_word automatic[] = { { "auto", 0 }, { NULL, 0 } };

static const struct option_word no_retry[] = {
    { "off", CW_RETRY_OFF },
    { NULL, 0 },
};

static const struct option_word log_formats[] = {
    { "auto", COMMON_OPTIONS_LOG_AUTO },
    { "text", COMMON_OPTIONS_LOG_TEXT },
    { "json", COMMON_OPTIONS_LOG_JSON },
    { NULL, 0 },
};

static const struct option_word progress_styles[] = {
    { "auto", COMMON_OPTIONS_PROGRESS_AUTO },
    { "bar", COMMON_OPTIONS_PROGRESS_BAR },
    { "plain", COMMON_OPTIONS_PROGRESS_PLAIN },
    { "json", COMMON_OPTIONS_PROGRESS_JSON },
    { "none", COMMON_OPTIONS_PROGRESS_NONE },
    { NULL, 0 },
};

static const struct option_word sandboxes[] = {
    { "auto", COMMON_OPTIONS_SANDBOX_AUTO },
    { "require", COMMON_OPTIONS_SANDBOX_REQUIRE },
    { "off", COMMON_OPTIONS_SANDBOX_OFF },
    { NULL, 0 },
};

static const struct option_word help_forms[] = {
    { "text", OPTION_ACTION_HELP },
    { "markdown", OPTION_ACTION_HELP_MARKDOWN },
    { "man", OPTION_ACTION_HELP_MAN },
    { "bash", OPTION_ACTION_HELP_BASH },
    { "zsh", OPTION_ACTION_HELP_ZSH },
    { "fish", OPTION_ACTION_HELP_FISH },
    { NULL, 0 },
};

static const struct option_word version_forms[] = {
    { "text", OPTION_ACTION_VERSION },
    { "json", OPTION_ACTION_VERSION_JSON },
    { NULL, 0 },
};

static const struct option_word preallocations[] = {
    { "off", CW_PREALLOCATE_OFF },
    { "falloc", CW_PREALLOCATE_FALLOC },
    { "full", CW_PREALLOCATE_FULL },
    { "auto", CW_PREALLOCATE_AUTO },
    { NULL, 0 },
};

static const struct option_word tails[] = {
    { "zero", false },
    { "keep", true },
    { NULL, 0 },
};

static const struct option_word verifies[] = {
    { "digest", false },
    { "readback", true },
    { NULL, 0 },
};

/* clang-format off */
const struct option_row common_options_security[] = {
    { "cert", 0, "CLONEWIRE_CERT", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, cert_file), 0, 0,
      "certificate of this side, PEM, followed by its chain; FILE may be the "
      "PEM text itself" },
    { "key", 0, "CLONEWIRE_KEY", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, key_file), 0, 0,
      "private key of --cert, PEM; the PEM text only in the variable" },
    { "ca", 0, "CLONEWIRE_CA", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, ca_file), 0, 0,
      "CA certificates to trust, and no others, PEM; FILE may be the PEM text" },
    { "psk-file", 0, "CLONEWIRE_PSK_FILE", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, psk_file), 0, 0,
      "authenticate with a pre-shared key instead of certificates; FILE has "
      "lines of identity:hex-key" },
    { "psk-identity", 0, "CLONEWIRE_PSK_IDENTITY", "NAME", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, psk_identity), 0, 0,
      "line of --psk-file that the source uses" },
    { "tls-min-version", 0, "CLONEWIRE_TLS_MIN_VERSION", NULL, "1.3",
      OPTION_CHOICE, tls_versions,
      OPTION_FIELD(struct cw_security, allow_tls12), 0, 0,
      "minimum TLS version" },
    { "tls-ciphers", 0, "CLONEWIRE_TLS_CIPHERS", "LIST", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, ciphers), 0, 0,
      "ciphers to allow, by their IANA or OpenSSL names, separated by commas or "
      "colons" },
    { "tls-groups", 0, "CLONEWIRE_TLS_GROUPS", "LIST", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, groups), 0, 0,
      "key exchange groups to allow, such as x25519,secp256r1" },
    { "aes", 0, "CLONEWIRE_AES", NULL, "auto", OPTION_CHOICE, aes,
      OPTION_FIELD(struct cw_security, openssl_aes), 0, 0,
      "who encrypts: auto takes Intel's library where OpenSSL is older than 3.1 "
      "and the CPU has VAES; openssl takes OpenSSL always" },
    { 0 },
};

const struct option_row common_options_sink[] = {
    { "verify", 0, "CLONEWIRE_VERIFY", NULL, "digest", OPTION_CHOICE, verifies,
      OPTION_FIELD(struct cw_target_options, verify_readback), 0, 0,
      "digest: digest the data as it arrives; readback: also read the written "
      "disk back, bypassing the page cache" },
    { "overwrite", 0, "CLONEWIRE_OVERWRITE", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_target_options, overwrite), 0, 0,
      "replace an existing file" },
    { "preallocate", 0, "CLONEWIRE_PREALLOCATE", NULL, "off", OPTION_CHOICE,
      preallocations, OPTION_FIELD(struct cw_target_options, preallocate), 0, 0,
      "off: sparse; falloc: reserve the space; full: write every block; "
      "auto: falloc where the filesystem supports it, else full" },
    { "overcommit", 0, "CLONEWIRE_OVERCOMMIT", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_target_options, overcommit), 0, 0,
      "allow a sparse file that is larger than the volume" },
    { "tail", 0, "CLONEWIRE_TAIL", NULL, "zero", OPTION_CHOICE, tails,
      OPTION_FIELD(struct cw_target_options, keep_tail), 0, 0,
      "zero or keep the part of a device beyond the end of the disk" },
    { "target-is-zero", 0, "CLONEWIRE_TARGET_IS_ZERO", NULL, "no", OPTION_FLAG,
      NULL, OPTION_FIELD(struct cw_target_options, target_is_zero), 0, 0,
      "do not write zeros: the device already reads as zero" },
    { 0 },
};

static const struct option_word hole_policies[] = {
    { "auto", CW_HOLES_AUTO },
    { "trust", CW_HOLES_TRUST },
    { "scan", CW_HOLES_SCAN },
    { NULL, 0 },
};

const struct option_row common_options_tuning[] = {
    { "lanes", 0, "CLONEWIRE_LANES", "N", "auto", OPTION_COUNT, automatic,
      OPTION_FIELD(struct cw_tuning, lanes), 1, 64,
      "parallel connections; auto: one for every two CPUs of the cgroup quota, "
      "or one per CPU if the image must be decoded, at most 4; the smaller "
      "number of the two sides is used" },
    { "io-engine", 0, "CLONEWIRE_IO_ENGINE", NULL, "auto", OPTION_CHOICE,
      io_engines, OPTION_FIELD(struct cw_tuning, io_engine), 0, 0,
      "how to submit disk I/O; auto: io_uring where the system allows it" },
    { "io-mode", 0, "CLONEWIRE_IO_MODE", NULL, "auto", OPTION_CHOICE, io_modes,
      OPTION_FIELD(struct cw_tuning, io_mode), 0, 0,
      "how disk I/O uses the page cache; auto: the first of direct, "
      "dontcache and buffered that works" },
    { "holes", 0, "CLONEWIRE_HOLES", NULL, "auto", OPTION_CHOICE,
      hole_policies, OPTION_FIELD(struct cw_tuning, holes), 0, 0,
      "holes of a sparse file; auto: skip them unless the filesystem "
      "contradicts itself or has a known bug; trust: skip them; scan: read "
      "them" },
    { "bind-device", 0, "CLONEWIRE_BIND_DEVICE", "NAME", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_tuning, bind_device), 0, 0,
      "use only this network interface, such as eth1" },
    { "tcp-congestion", 0, "CLONEWIRE_TCP_CONGESTION", "NAME", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct cw_tuning, congestion), 0, 0,
      "TCP congestion control, such as bbr, instead of the system default" },
    { "dead-peer-timeout", 0, "CLONEWIRE_DEAD_PEER_TIMEOUT", "TIME", "30s",
      OPTION_DURATION, NULL, OPTION_FIELD(struct cw_tuning, dead_peer_ns),
      CLOCK_SECOND_NS, 3600 * CLOCK_SECOND_NS,
      "silence after which the other side is considered dead" },
    { "stall-timeout", 0, "CLONEWIRE_STALL_TIMEOUT", "TIME", "5m",
      OPTION_DURATION, NULL, OPTION_FIELD(struct cw_tuning, stall_ns),
      CLOCK_SECOND_NS, UINT64_C(7) * 24 * 3600 * CLOCK_SECOND_NS,
      "fail the clone after this long without any progress" },
    { "retry-for", 0, "CLONEWIRE_RETRY_FOR", "TIME", "5m", OPTION_DURATION,
      no_retry, OPTION_FIELD(struct cw_tuning, retry_ns), CLOCK_SECOND_NS,
      UINT64_C(7) * 24 * 3600 * CLOCK_SECOND_NS,
      "how long to retry after the connection is lost; progress restarts the "
      "timer" },
    { 0 },
};

const struct option_row common_options_output[] = {
    { "quiet", 'q', "CLONEWIRE_QUIET", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct common_options_output, quiet), 0, 0,
      "print only errors" },
    { "verbose", 'v', "CLONEWIRE_VERBOSE", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct common_options_output, verbose), 0, 0,
      "log details too" },
    { "log-format", 0, "CLONEWIRE_LOG_FORMAT", NULL, "auto", OPTION_CHOICE,
      log_formats, OPTION_FIELD(struct common_options_output, log_format), 0, 0,
      "format of the log, the final error and the summary; auto: text" },
    { "progress", 0, "CLONEWIRE_PROGRESS", "FD", "auto", OPTION_COUNT,
      progress_styles, OPTION_FIELD(struct common_options_output, progress), 1,
      COMMON_OPTIONS_PROGRESS_FD_MAX,
      "show progress on stderr; auto: a bar on a terminal, else plain; plain: a "
      "log line every 10 s; FD: JSON on that file descriptor" },
    { "metrics-listen", 0, "CLONEWIRE_METRICS_LISTEN", "HOST:PORT", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct common_options_output, metrics_listen), 0,
      0,
      "serve /healthz, /readyz and /metrics over HTTPS on this address; not "
      "given: no server" },
    { "termination-log", 0, "CLONEWIRE_TERMINATION_LOG", "FILE", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct common_options_output, termination_log),
      0, 0,
      "write the result to FILE as one JSON object; not given: to "
      "/dev/termination-log if the container has one" },
    { "sandbox", 0, "CLONEWIRE_SANDBOX", NULL, "auto", OPTION_CHOICE, sandboxes,
      OPTION_FIELD(struct common_options_output, sandbox), 0, 0,
      "keep the process from files and system calls that a clone does not need; "
      "auto: as far as the kernel can; require: wholly, or do not start" },
    { "receipt", 0, "CLONEWIRE_RECEIPT", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct common_options_output, receipt), 0, 0,
      "when the copy is complete, write a receipt for --check-receipt to FILE, "
      "and the chunk digests next to it" },
    { "help", 'h', NULL, NULL, NULL, OPTION_ACTION, help_forms,
      OPTION_FIELD(struct common_options_output, action), 0, 0, "print this help; man: a manual page; bash, zsh, fish: a completion script" },
    { "version", 'V', NULL, NULL, NULL, OPTION_ACTION, version_forms,
      OPTION_FIELD(struct common_options_output, action), 0, 0, "print the version" },
    { 0 },
};
/* clang-format on */

uint32_t common_options_overhead(uint32_t ppm)
{
    return ppm == 0 ? CW_FS_OVERHEAD_NONE : ppm;
}
