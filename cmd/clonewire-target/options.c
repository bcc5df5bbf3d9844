#include "clonewire-target/options.h"

#include "base/clock.h"

static const struct option_word size_words[] = {
    { "source", TARGET_SIZE_SOURCE },
    { "max", TARGET_SIZE_MAX },
    { NULL, 0 },
};

static const struct option_word digests[] = {
    { "xxh3-128", CW_DIGEST_XXH3_128 },
    { "sha256", CW_DIGEST_SHA256 },
    { NULL, 0 },
};

static const struct option_word compress_words[] = {
    { "auto", false },
    { "zstd", false },
    { "off", true },
    { NULL, 0 },
};

static const struct option_word resumes[] = {
    { "auto", CW_RESUME_AUTO },
    { "off", CW_RESUME_OFF },
    { "compare", CW_RESUME_COMPARE },
    { "trust", CW_RESUME_TRUST },
    { NULL, 0 },
};

static const struct option_word deltas[] = {
    { "yes", CW_DELTA_AUTO },
    { "no", CW_DELTA_OFF },
    { "inplace", CW_DELTA_INPLACE },
    { "copy", CW_DELTA_COPY },
    { "true", CW_DELTA_AUTO },
    { "false", CW_DELTA_OFF },
    { "1", CW_DELTA_AUTO },
    { "0", CW_DELTA_OFF },
    { NULL, 0 },
};

/* clang-format off */
static const struct option_row clone_rows[] = {
    { "DEST", 0, "CLONEWIRE_DEST", NULL, NULL, OPTION_ARGUMENT, NULL,
      OPTION_FIELD(struct cw_target_options, destination), 0, 0,
      "file to create, or block device to write; or a directory, which takes "
      "the files of a directory" },
    { "size", 0, "CLONEWIRE_SIZE", "BYTES", "source", OPTION_BYTES, size_words,
      OPTION_FIELD(struct cw_target_options, size_bytes), 1,
      UINT64_C(1) << 62,
      "size of the new disk, at least that of the source; max: as large as the "
      "volume allows" },
    { "resume", 0, "CLONEWIRE_RESUME", NULL, "auto", OPTION_CHOICE, resumes,
      OPTION_FIELD(struct cw_target_options, resume), 0, 0,
      "auto: resume an earlier run of the same job after reading its data again; "
      "compare: read the whole disk and ignore the checkpoint; trust: like auto, "
      "but skip data that size, times, samples and an authenticated checkpoint "
      "prove unchanged; off: start over" },
    { "delta", 0, "CLONEWIRE_DELTA", NULL, "no", OPTION_FLAG, deltas,
      OPTION_FIELD(struct cw_target_options, delta), 0, 0,
      "update an older copy of the disk: write only what differs. A file is "
      "changed in a reflink of it if the filesystem has reflinks, else in "
      "place; --delta=inplace: always in place; --delta=copy: in a copy instead "
      "of in place, which needs space for both" },
    { "keep-setid", 0, "CLONEWIRE_KEEP_SETID", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_target_options, keep_setid), 0, 0,
      "keep setuid and setgid bits of files, and file capabilities, in a "
      "directory or an archive" },
    { "checkpoint-every", 0, "CLONEWIRE_CHECKPOINT_EVERY", "TIME", "5s",
      OPTION_DURATION, NULL,
      OPTION_FIELD(struct cw_target_options, checkpoint_ns),
      CLOCK_SECOND_NS / 10, 3600 * CLOCK_SECOND_NS,
      "time between checkpoints, so how much work a killed target loses; "
      "earlier after each GiB, later if saving is slow" },
    { "state-dir", 0, "CLONEWIRE_STATE_DIR", "DIR", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_target_options, state_dir), 0, 0,
      "directory for the checkpoint; not given: next to a file; a block device "
      "has none then, and is compared as a whole" },
    { "fs-overhead", 0, "CLONEWIRE_FS_OVERHEAD", "RATIO", "0.055", OPTION_PPM,
      NULL, OPTION_FIELD(struct cw_target_options, fs_overhead_ppm), 0, 990000,
      "share of a volume that its filesystem uses itself" },
    { 0 },
};

static const struct option_row code_rows[] = {
    { "code-file", 0, "CLONEWIRE_CODE_FILE", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct target_config, code_file), 0, 0,
      "write the pairing code and address to FILE, which only its owner can "
      "read; -: to stdout; not given: to stdout, unless that is the log of a "
      "pod or of systemd" },
    { 0 },
};

static const struct option_row consent_rows[] = {
    { "yes", 'y', "CLONEWIRE_YES", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct target_config, yes), 0, 0,
      "overwrite a device without asking, even if it does not hold an "
      "unfinished clone of this source" },
    { 0 },
};

static const struct option_row plan_rows[] = {
    { "plan", 0, "CLONEWIRE_PLAN", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct target_config, plan), 0, 0,
      "check whether a disk of --source-size fits DEST, and write nothing" },
    { "digest", 0, "CLONEWIRE_DIGEST", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct target_config, digest_only), 0, 0,
      "print the digest of the disk in DEST (of its first --size bytes)" },
    { "check-receipt", 0, "CLONEWIRE_CHECK_RECEIPT", "FILE", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct target_config, check_receipt),
      0, 0,
      "check the disk in DEST against the receipt FILE of a clone, and print "
      "where it differs" },
    { "digest-algorithm", 0, "CLONEWIRE_DIGEST_ALGORITHM", NULL, "xxh3-128",
      OPTION_CHOICE, digests, OPTION_FIELD(struct target_config, digest), 0, 0,
      "with --digest: digest to print" },
    { "source-size", 0, "CLONEWIRE_SOURCE_SIZE", "BYTES", "0", OPTION_BYTES,
      NULL, OPTION_FIELD(struct target_config, source_bytes), 0,
      UINT64_C(1) << 62, "with --plan: size of the source's disk" },
    { "doctor", 0, "CLONEWIRE_DOCTOR", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct target_config, doctor), 0, 0,
      "check what works on this machine and, if DEST is given, on that disk or "
      "in that directory" },
    { "json", 0, "CLONEWIRE_JSON", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct target_config, json), 0, 0,
      "with --plan, --check-receipt or --doctor: print JSON" },
    { 0 },
};

static const struct option_row http_rows[] = {
    { "http", 0, "CLONEWIRE_HTTP", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_security, http), 0, 0,
      "also accept uploads and KubeVirt CDI clones over HTTP on the same port; "
      "needs certificates" },
    { "scratch", 0, "CLONEWIRE_SCRATCH", "DIR", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_target_options, scratch_dir), 0, 0,
      "directory for a temporary copy of an upload that must be read more than "
      "once; not given: next to DEST if that is a file" },
    { 0 },
};

static const struct option_row name_rows[] = {
    { "peer-name", 0, "CLONEWIRE_PEER_NAME", "NAME", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_security, peer_name), 0, 0,
      "name that the source's certificate must carry; not given: accept any "
      "certificate that the CA signed" },
    { 0 },
};

static const struct option_row network_rows[] = {
    { "compress", 0, "CLONEWIRE_COMPRESS", NULL, "auto", OPTION_CHOICE,
      compress_words,
      OPTION_FIELD(struct cw_target_options, refuse_compressed), 0, 0,
      "auto, zstd: let the source compress data on the network; off: accept "
      "only uncompressed data, which saves CPU on the target" },
    { "listen", 0, "CLONEWIRE_LISTEN", "HOST:PORT", "[::]:8443", OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_target_options, listen), 0, 0,
      "address to listen on; port 0: any free port, printed in the log" },
    { "code-valid", 0, "CLONEWIRE_CODE_VALID", "TIME", "15m", OPTION_DURATION,
      NULL, OPTION_FIELD(struct cw_target_options, pairing_valid_ns),
      CLOCK_SECOND_NS, UINT64_C(24) * 3600 * CLOCK_SECOND_NS,
      "how long the pairing code is valid" },
    { "once", 0, "CLONEWIRE_ONCE", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_target_options, once), 0, 0,
      "exit after the first clone that has begun, even if it failed; otherwise "
      "wait until a clone succeeds" },
    { "deadline", 0, "CLONEWIRE_DEADLINE", "TIME", NULL, OPTION_TIME, NULL,
      OPTION_FIELD(struct cw_target_options, deadline_unix_ns), 0, 0,
      "exit with status 0 if no source has connected by then, as in "
      "2027-01-31T12:00:00Z; a running clone continues" },
    { 0 },
};

static const struct option_group groups[] = {
    { "Clone", clone_rows, offsetof(struct target_config, options) },
    { "Clone", common_options_sink, offsetof(struct target_config, options) },
    { "Clone", consent_rows, 0 },
    { "Instead of cloning", plan_rows, 0 },
    { "Security", common_options_security,
      offsetof(struct target_config, options.security) },
    { "Security", code_rows, 0 },
    { "Security", name_rows,
      offsetof(struct target_config, options.security) },
    { "Security", http_rows,
      offsetof(struct target_config, options.security) },
    { "Network and disk", network_rows,
      offsetof(struct target_config, options) },
    { "Network and disk", common_options_tuning,
      offsetof(struct target_config, options.tuning) },
    { "Output", common_options_output, offsetof(struct target_config, output) },
    { 0 },
};
/* clang-format on */

static const char story[] =
    "Waits for a clonewire-source, receives one disk from it, writes it raw to "
    "DEST, and exits.  A file appears under its name only when it is complete "
    "and durable.  Before it overwrites a device, it shows the contents and "
    "asks.\n\n"
    "Without certificates or a pre-shared key it makes a one-time code and "
    "prints the line to run on the other machine, once for each address of "
    "this one.  The code is a secret: it admits any source that has it.\n\n"
    "On a larger device, the part after the end of the disk is zeroed.";

static const struct option_rule rules[] = {
    { "json", "doctor plan check-receipt", NULL,
      "it is for --doctor, --plan and --check-receipt; --log-format json makes "
      "the summary of a clone JSON" },
    { "source-size", "plan", NULL, "it is for --plan" },
    { 0 },
};

const struct option_program target_program = {
    .name = "clonewire-target",
    .summary = "receives a VM disk and writes it to a file or block device",
    .usage = "[OPTION]... DEST",
    .examples =
        "  clonewire-target /var/lib/vm/disk.img   (says what to run on the "
        "source)\n"
        "  clonewire-target --cert t.crt --key t.key --ca ca.crt \\\n"
        "      --peer-name source /var/lib/vm/disk.img\n"
        "  clonewire-target --psk-file keys.psk --once /dev/vg/vm-disk\n"
        "  clonewire-target --plan --source-size 10GiB /var/lib/vm/disk.img\n"
        "  clonewire-target --doctor /var/lib/vm\n",
    .peer = "clonewire-source",
    .story = story,
    .groups = groups,
    .rules = rules,
};

void options_settle(struct target_config *config)
{
    struct cw_target_options *options = &config->options;

    if (options->size_bytes == TARGET_SIZE_MAX) {
        options->size_bytes = 0;
        options->size_max = true;
    }
    options->fs_overhead_ppm = common_options_overhead(
        options->fs_overhead_ppm);
}
