#include "options/common_options.h"

#include "base/clock.h"

static const struct option_word tls_versions[] = {
    { "1.3", false },         { "1.2", true }, { "VersionTLS13", false },
    { "VersionTLS12", true }, { NULL, 0 },
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
      "our certificate, PEM, with its chain behind it; FILE may be the PEM "
      "text itself" },
    { "key", 0, "CLONEWIRE_KEY", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, key_file), 0, 0,
      "the certificate's private key, PEM; as text only in the variable" },
    { "ca", 0, "CLONEWIRE_CA", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, ca_file), 0, 0,
      "whose certificates to trust, PEM, or its text; no other is" },
    { "psk-file", 0, "CLONEWIRE_PSK_FILE", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, psk_file), 0, 0,
      "instead of certificates: lines of identity:hex-key" },
    { "psk-identity", 0, "CLONEWIRE_PSK_IDENTITY", "NAME", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, psk_identity), 0, 0,
      "which line of the file is the source's" },
    { "tls-min-version", 0, "CLONEWIRE_TLS_MIN_VERSION", NULL, "1.3",
      OPTION_CHOICE, tls_versions,
      OPTION_FIELD(struct cw_security, allow_tls12), 0, 0,
      "oldest TLS to speak" },
    { "tls-ciphers", 0, "CLONEWIRE_TLS_CIPHERS", "LIST", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, ciphers), 0, 0,
      "ciphers to allow, named as IANA or OpenSSL do, with commas or colons" },
    { "tls-groups", 0, "CLONEWIRE_TLS_GROUPS", "LIST", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, groups), 0, 0,
      "key exchange groups to allow, such as x25519,secp256r1" },
    { 0 },
};

const struct option_row common_options_sink[] = {
    { "verify", 0, "CLONEWIRE_VERIFY", NULL, "digest", OPTION_CHOICE, verifies,
      OPTION_FIELD(struct cw_target_options, verify_readback), 0, 0,
      "digest: of what has come; readback: also of what the disk gives back, "
      "past the page cache" },
    { "overwrite", 0, "CLONEWIRE_OVERWRITE", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_target_options, overwrite), 0, 0,
      "replace an existing file" },
    { "preallocate", 0, "CLONEWIRE_PREALLOCATE", NULL, "off", OPTION_CHOICE,
      preallocations, OPTION_FIELD(struct cw_target_options, preallocate), 0, 0,
      "off: sparse; falloc: reserve the space; full: write every block; "
      "auto: falloc where the filesystem can, else full" },
    { "overcommit", 0, "CLONEWIRE_OVERCOMMIT", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_target_options, overcommit), 0, 0,
      "let a sparse file be larger than the free space" },
    { "tail", 0, "CLONEWIRE_TAIL", NULL, "zero", OPTION_CHOICE, tails,
      OPTION_FIELD(struct cw_target_options, keep_tail), 0, 0,
      "what to do with a device beyond the end of the disk" },
    { "target-is-zero", 0, "CLONEWIRE_TARGET_IS_ZERO", NULL, "no", OPTION_FLAG,
      NULL, OPTION_FIELD(struct cw_target_options, target_is_zero), 0, 0,
      "the device reads as zero already: leave zeros unwritten" },
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
      "parallel connections; auto: one for two CPUs of the cgroup quota, for "
      "each CPU where the image must be decoded, 4 at most, and both "
      "sides take the smaller" },
    { "io-engine", 0, "CLONEWIRE_IO_ENGINE", NULL, "auto", OPTION_CHOICE,
      io_engines, OPTION_FIELD(struct cw_tuning, io_engine), 0, 0,
      "how disk I/O is submitted; auto: io_uring where the system lets us" },
    { "io-mode", 0, "CLONEWIRE_IO_MODE", NULL, "auto", OPTION_CHOICE, io_modes,
      OPTION_FIELD(struct cw_tuning, io_mode), 0, 0,
      "how the disk meets the page cache; auto: the first of direct, "
      "dontcache and buffered that works" },
    { "holes", 0, "CLONEWIRE_HOLES", NULL, "auto", OPTION_CHOICE,
      hole_policies, OPTION_FIELD(struct cw_tuning, holes), 0, 0,
      "holes of a sparse file; auto: skip them unless the filesystem "
      "contradicts itself or has a known bug; trust: skip them; scan: read "
      "them" },
    { "bind-device", 0, "CLONEWIRE_BIND_DEVICE", "NAME", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_tuning, bind_device), 0, 0,
      "network interface to use, such as eth1, and no other" },
    { "tcp-congestion", 0, "CLONEWIRE_TCP_CONGESTION", "NAME", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct cw_tuning, congestion), 0, 0,
      "congestion control, such as bbr, in place of the system's" },
    { "dead-peer-timeout", 0, "CLONEWIRE_DEAD_PEER_TIMEOUT", "TIME", "30s",
      OPTION_DURATION, NULL, OPTION_FIELD(struct cw_tuning, dead_peer_ns),
      CLOCK_SECOND_NS, 3600 * CLOCK_SECOND_NS,
      "silence after which the other side counts as dead" },
    { "stall-timeout", 0, "CLONEWIRE_STALL_TIMEOUT", "TIME", "5m",
      OPTION_DURATION, NULL, OPTION_FIELD(struct cw_tuning, stall_ns),
      CLOCK_SECOND_NS, UINT64_C(7) * 24 * 3600 * CLOCK_SECOND_NS,
      "how long nothing at all may move before the clone fails" },
    { "retry-for", 0, "CLONEWIRE_RETRY_FOR", "TIME", "5m", OPTION_DURATION,
      no_retry, OPTION_FIELD(struct cw_tuning, retry_ns), CLOCK_SECOND_NS,
      UINT64_C(7) * 24 * 3600 * CLOCK_SECOND_NS,
      "how long to go on trying when the connection is lost; progress "
      "begins it anew" },
    { 0 },
};

const struct option_row common_options_output[] = {
    { "quiet", 'q', "CLONEWIRE_QUIET", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct common_options_output, quiet), 0, 0,
      "print errors and nothing else" },
    { "verbose", 'v', "CLONEWIRE_VERBOSE", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct common_options_output, verbose), 0, 0,
      "log details too" },
    { "log-format", 0, "CLONEWIRE_LOG_FORMAT", NULL, "auto", OPTION_CHOICE,
      log_formats, OPTION_FIELD(struct common_options_output, log_format), 0, 0,
      "of log, final error and summary; auto: text" },
    { "progress", 0, "CLONEWIRE_PROGRESS", "FD", "auto", OPTION_COUNT,
      progress_styles, OPTION_FIELD(struct common_options_output, progress), 1,
      COMMON_OPTIONS_PROGRESS_FD_MAX,
      "on stderr; auto: a bar on a terminal, else plain: a log line every "
      "10 s; FD: JSON on that file descriptor" },
    { "metrics-listen", 0, "CLONEWIRE_METRICS_LISTEN", "HOST:PORT", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct common_options_output, metrics_listen), 0,
      0,
      "serve /healthz, /readyz and /metrics by HTTPS there; not given: do "
      "not" },
    { "termination-log", 0, "CLONEWIRE_TERMINATION_LOG", "FILE", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct common_options_output, termination_log),
      0, 0,
      "write one JSON object there that says how it ended; not given: to "
      "/dev/termination-log where a container has one" },
    { "receipt", 0, "CLONEWIRE_RECEIPT", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct common_options_output, receipt), 0, 0,
      "when the copy is complete, write there what --check-receipt compares "
      "any copy of the disk with, and its digests beside it" },
    { "help", 'h', NULL, NULL, NULL, OPTION_ACTION, help_forms,
      OPTION_FIELD(struct common_options_output, action), 0, 0, "print this; man: a manual page; the shells: completion for them" },
    { "version", 'V', NULL, NULL, NULL, OPTION_ACTION, version_forms,
      OPTION_FIELD(struct common_options_output, action), 0, 0, "print the version" },
    { 0 },
};
/* clang-format on */
