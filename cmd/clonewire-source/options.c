#include "clonewire-source/options.h"

#include "base/clock.h"

static const struct option_word formats[] = {
    { "auto", CW_FORMAT_AUTO },   { "raw", CW_FORMAT_RAW },
    { "qcow2", CW_FORMAT_QCOW2 }, { "vdi", CW_FORMAT_VDI },
    { "vhd", CW_FORMAT_VHD },     { "vhdx", CW_FORMAT_VHDX },
    { "vmdk", CW_FORMAT_VMDK },   { NULL, 0 },
};

static const struct option_word compressions[] = {
    { "auto", CW_COMPRESSION_AUTO },
    { "none", CW_COMPRESSION_NONE },
    { "gzip", CW_COMPRESSION_GZIP },
    { "xz", CW_COMPRESSION_XZ },
    { NULL, 0 },
};

/* One variable may be set for both ends, so the source also accepts the values
 * that only the target acts on. */
static const struct option_word resumes[] = {
    { "auto", CW_RESUME_AUTO },
    { "off", CW_RESUME_OFF },
    { "compare", CW_RESUME_COMPARE },
    { "trust", CW_RESUME_TRUST },
    { NULL, 0 },
};

static const struct option_word compress_words[] = {
    { "auto", CW_COMPRESS_AUTO },
    { "off", CW_COMPRESS_OFF },
    { "zstd", CW_COMPRESS_ZSTD },
    { NULL, 0 },
};

static const struct option_word digests[] = {
    { "xxh3-128", CW_DIGEST_XXH3_128 },
    { "sha256", CW_DIGEST_SHA256 },
    { NULL, 0 },
};

static const struct option_word follow_words[] = {
    { "stdin", CW_FOLLOW_STDIN },
    { NULL, 0 },
};

/* clang-format off */
static const struct option_row clone_rows[] = {
    { "IMAGE", 0, "CLONEWIRE_IMAGE", NULL, NULL, OPTION_ARGUMENT, NULL,
      OPTION_FIELD(struct cw_source_options, image), 0, 0,
      "disk to send: a file, a block device, - for standard input, or the URI of "
      "an NBD export (nbd://HOST/NAME, nbds://, nbd+unix:///NAME?socket=PATH); "
      "or a directory, with all files in it" },
    { "HOST:PORT", 0, "CLONEWIRE_TARGET", NULL, NULL, OPTION_ARGUMENT, NULL,
      OPTION_FIELD(struct cw_source_options, target), 0, 0,
      "address of clonewire-target, default port 8443; or the pairing code it "
      "printed; or https://HOST:PORT/PATH of KubeVirt CDI's upload server; not "
      "given: ask for the pairing code" },
    { "allow-in-use", 0, "CLONEWIRE_ALLOW_IN_USE", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_source_options, allow_in_use), 0, 0,
      "read an image that a running machine or a mount may be writing; the "
      "copy may then be inconsistent" },
    { "job-id", 0, "CLONEWIRE_JOB_ID", "NAME", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_source_options, job_id), 0, 0,
      "name of the clone, for a later run with the same name to resume; not "
      "given: derived from the image and HOST:PORT" },
    { "resume", 0, "CLONEWIRE_RESUME", NULL, "auto", OPTION_CHOICE, resumes,
      OPTION_FIELD(struct cw_source_options, resume), 0, 0,
      "auto: both sides read and compare the data of an earlier run; trust: "
      "skip data that size, times, samples and an authenticated checkpoint prove "
      "unchanged; off, compare: like auto, since only the target acts on them" },
    { "follow", 0, "CLONEWIRE_FOLLOW", "INTERVAL", NULL, OPTION_DURATION,
      follow_words, OPTION_FIELD(struct cw_source_options, follow_ns),
      CLOCK_SECOND_NS / 10, 24 * 3600 * CLOCK_SECOND_NS,
      "clone in passes while the disk is in use: send all, then every INTERVAL "
      "what has changed, until SIGUSR1, a line on standard input, or the next two "
      "options begin the last pass; stdin: a pass for each line, the last for the "
      "line \"cutover\"" },
    { "follow-until", 0, "CLONEWIRE_FOLLOW_UNTIL", "FILE", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_source_options, follow_until), 0, 0,
      "with --follow: begin the last pass once this file exists" },
    { "cutover-under", 0, "CLONEWIRE_CUTOVER_UNDER", "TIME", NULL,
      OPTION_DURATION, NULL,
      OPTION_FIELD(struct cw_source_options, cutover_under_ns),
      1, 24 * 3600 * CLOCK_SECOND_NS,
      "with --follow: begin the last pass once it should take less than this" },
    { "delta", 0, "CLONEWIRE_DELTA", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct cw_source_options, delta), 0, 0,
      "update an older copy on the target: send only what differs; a file there "
      "needs --overwrite" },
    { "changed-extents", 0, "CLONEWIRE_CHANGED_EXTENTS", "FILE", NULL,
      OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_source_options, changed_extents), 0, 0,
      "update an older copy on the target: read only the extents of this list "
      "(of a backup program, nbdinfo, qemu-img map, rbd diff, CSI, thin_delta), "
      "and assume the rest is unchanged" },
    { "bitmap", 0, "CLONEWIRE_BITMAP", "NAME", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_source_options, bitmap), 0, 0,
      "update an older copy on the target: read only what this dirty bitmap of "
      "the NBD export marks, and assume the rest is unchanged" },
    { "digest-algorithm", 0, "CLONEWIRE_DIGEST_ALGORITHM", NULL, "xxh3-128",
      OPTION_CHOICE, digests, OPTION_FIELD(struct cw_source_options, digest), 0,
      0, "digest that proves the copies equal; sha256 halves the speed" },
    { "format", 0, "CLONEWIRE_FORMAT", NULL, "auto", OPTION_CHOICE, formats,
      OPTION_FIELD(struct cw_source_options, format), 0, 0,
      "image format; auto: detect it by content; use raw if an untrusted guest "
      "can write to the image" },
    { "compression", 0, "CLONEWIRE_COMPRESSION", NULL, "auto", OPTION_CHOICE,
      compressions, OPTION_FIELD(struct cw_source_options, compression), 0, 0,
      "compression of the image; auto: detect it by content, or none if the "
      "format is raw" },
    { "size", 0, "CLONEWIRE_SIZE", "BYTES", NULL, OPTION_BYTES, NULL,
      OPTION_FIELD(struct cw_source_options, stream_bytes), 1,
      UINT64_C(1) << 62,
      "size of the raw disk in a gzip file or a pipe; not given: decode the "
      "gzip file once to find it" },
    { "allow-backing", 0, "CLONEWIRE_ALLOW_BACKING", "DIR", NULL,
      OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_source_options, backing_dir), 0, 0,
      "read qcow2 backing files that are in this directory; not given: refuse "
      "them" },
    { "scratch", 0, "CLONEWIRE_SCRATCH", "DIR", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_source_options, scratch_dir), 0, 0,
      "directory for a temporary copy of an image that must be read more than "
      "once, but comes through a pipe or is packed twice; not given: refuse it" },
    { "cross-check", 0, "CLONEWIRE_CROSS_CHECK", "N", "4", OPTION_COUNT, NULL,
      OPTION_FIELD(struct cw_source_options, cross_check), 0, 100000,
      "qcow2 clusters to compare with libqcow before sending; none if the image "
      "is compressed or comes through a pipe" },
    { 0 },
};

static const struct option_row local_rows[] = {
    { "to", 0, "CLONEWIRE_TO", "DEST", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct source_config, local.destination), 0, 0,
      "copy to a file or block device on this machine, without a target" },
    { "yes", 'y', "CLONEWIRE_YES", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, yes), 0, 0,
      "overwrite a device that is not blank, without asking" },
    { 0 },
};

static const struct option_row inspect_rows[] = {
    { "digest", 0, "CLONEWIRE_DIGEST", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, digest_only), 0, 0,
      "print the digest of the disk in IMAGE; it is the same for every format" },
    { "check-receipt", 0, "CLONEWIRE_CHECK_RECEIPT", "FILE", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct source_config, check_receipt),
      0, 0,
      "check the disk in IMAGE against the receipt FILE of a clone, and print "
      "where it differs" },
    { "inspect", 0, "CLONEWIRE_INSPECT", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, inspect), 0, 0,
      "print the format, the sizes and the volumes to request" },
    { "map", 0, "CLONEWIRE_MAP", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, map), 0, 0,
      "draw a map of data and zeros on the disk" },
    { "doctor", 0, "CLONEWIRE_DOCTOR", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, doctor), 0, 0,
      "check what works on this machine and, if IMAGE is given, on that disk or "
      "in that directory" },
    { "fs-overhead", 0, "CLONEWIRE_FS_OVERHEAD", "RATIO", "0.055", OPTION_PPM,
      NULL, OPTION_FIELD(struct source_config, fs_overhead_ppm), 0, 990000,
      "with --inspect and --to: share of a volume that its filesystem uses "
      "itself" },
    { "json", 0, "CLONEWIRE_JSON", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, json), 0, 0,
      "with --inspect, --map, --check-receipt or --doctor: print JSON" },
    { 0 },
};

static const struct option_row name_rows[] = {
    { "server-name", 0, "CLONEWIRE_SERVER_NAME", "NAME", NULL, OPTION_STRING,
      NULL, OPTION_FIELD(struct cw_security, peer_name), 0, 0,
      "name that the target's certificate must carry; not given: HOST" },
    { 0 },
};

static const struct option_row code_rows[] = {
    { "code", 0, "CLONEWIRE_CODE", "CODE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct source_config, code), 0, 0,
      "pairing code that clonewire-target printed, instead of HOST:PORT and "
      "certificates" },
    { "code-file", 0, "CLONEWIRE_CODE_FILE", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct source_config, code_file), 0, 0,
      "read the pairing code from FILE; -: from stdin" },
    { 0 },
};

static const struct option_row network_rows[] = {
    { "compress", 0, "CLONEWIRE_COMPRESS", NULL, "auto", OPTION_CHOICE,
      compress_words, OPTION_FIELD(struct cw_source_options, compress), 0, 0,
      "compress data on the network; auto: while the network is slow enough "
      "for a measured gain; zstd: always, and fail if the target does not "
      "accept it" },
    { "rate", 0, "CLONEWIRE_RATE", "BYTES", NULL, OPTION_BYTES, NULL,
      OPTION_FIELD(struct cw_source_options, bytes_per_second), 65536,
      UINT64_C(1) << 50,
      "maximum send rate in bytes per second, over all lanes" },
    { "rate-file", 0, "CLONEWIRE_RATE_FILE", "FILE", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct cw_source_options, rate_file), 0, 0,
      "read the maximum rate (\"20MiB\", \"off\") from FILE, and again on SIGHUP" },
    { "connect-timeout", 0, "CLONEWIRE_CONNECT_TIMEOUT", "TIME", "30s",
      OPTION_DURATION, NULL,
      OPTION_FIELD(struct cw_source_options, connect_timeout_ns),
      CLOCK_SECOND_NS, UINT64_C(24) * 3600 * CLOCK_SECOND_NS,
      "how long to keep trying to reach the target" },
    { 0 },
};

static const struct option_row via_rows[] = {
    { "via", 0, "CLONEWIRE_VIA", "COMMAND", NULL, OPTION_STRING, NULL,
      OPTION_FIELD(struct source_config, via), 0, 0,
      "start the target with this command, such as ssh; HOST:PORT is then "
      "USER@HOST:DEST" },
    { "through-ssh", 0, "CLONEWIRE_THROUGH_SSH", NULL, "no", OPTION_FLAG, NULL,
      OPTION_FIELD(struct source_config, through_ssh), 0, 0,
      "with --via: also send the clone through a port that ssh forwards" },
    { 0 },
};

static const struct option_row bind_rows[] = {
    { "bind-address", 0, "CLONEWIRE_BIND_ADDRESS", "ADDRESS", NULL,
      OPTION_STRING, NULL, OPTION_FIELD(struct cw_tuning, bind_address), 0, 0,
      "local address to connect from" },
    { 0 },
};

static const struct option_group groups[] = {
    { "Clone", clone_rows, offsetof(struct source_config, options) },
    { "Copy within this machine", local_rows, 0 },
    { "Copy within this machine", common_options_sink,
      offsetof(struct source_config, local) },
    { "Instead of cloning", inspect_rows, 0 },
    { "Security", common_options_security,
      offsetof(struct source_config, options.security) },
    { "Security", name_rows,
      offsetof(struct source_config, options.security) },
    { "Security", code_rows, 0 },
    { "Network and disk", network_rows,
      offsetof(struct source_config, options) },
    { "Network and disk", via_rows, 0 },
    { "Network and disk", bind_rows,
      offsetof(struct source_config, options.tuning) },
    { "Network and disk", common_options_tuning,
      offsetof(struct source_config, options.tuning) },
    { "Output", common_options_output, offsetof(struct source_config, output) },
    { 0 },
};
/* clang-format on */

static const struct option_rule rules[] = {
    { "json", "doctor inspect map check-receipt", NULL,
      "it is for --doctor, --inspect, --map and --check-receipt; --log-format "
      "json makes the summary of a clone JSON" },
    { "to", NULL,
      "via through-ssh code code-file job-id resume delta changed-extents "
      "follow follow-until cutover-under "
      "bitmap "
      "compress rate rate-file connect-timeout retry-for server-name "
      "bind-address bind-device tcp-congestion dead-peer-timeout",
      NULL },
    { "bitmap", NULL, "changed-extents", NULL },
    { "follow-until", "follow", NULL, NULL },
    { "cutover-under", "follow", NULL, NULL },
    { "overwrite", "to via", NULL, "the target has that option" },
    { "preallocate", "to", NULL, "the target has that option" },
    { "overcommit", "to", NULL, "the target has that option" },
    { "tail", "to", NULL, "the target has that option" },
    { "target-is-zero", "to", NULL, "the target has that option" },
    { "verify", "to", NULL, "the target has that option" },
    { 0 },
};

static const char story[] =
    "Reads a disk (raw, qcow2, vdi, vhd, vhdx or vmdk, plain or inside gzip or "
    "xz, in a file, on a block device, or exported by an NBD server) and sends "
    "it to a clonewire-target over mutually authenticated TLS.  Holes and zeros are not sent.  It ends with status 0 "
    "when the copy is equal, by digest, and on stable storage.\n\n"
    "Without certificates, start clonewire-target alone on the other machine: "
    "it prints the line to run here, with a one-time code in the place of "
    "HOST:PORT.  Without HOST:PORT it asks for the code on the "
    "terminal.\n\n"
    "A directory is copied file by file, to a directory of the target.\n\n"
    "Nothing may write to the disk during the clone, or with --follow, during its "
    "last pass.";

const struct option_program source_program = {
    .name = "clonewire-source",
    .summary = "sends a VM disk to a clonewire-target",
    .usage = "[OPTION]... IMAGE [HOST:PORT|--to DEST|--inspect]",
    .examples = "  clonewire-source /dev/vg/vm-disk cw1-...@10.0.0.7:8443\n"
                "  clonewire-source --cert s.crt --key s.key --ca ca.crt \\\n"
                "      /dev/vg/vm-disk target.example:8443\n"
                "  clonewire-source --psk-file keys.psk disk.img [fd00::7]\n"
                "  clonewire-source disk.img root@target.example:/dev/vg/new "
                "--via ssh\n"
                "  clonewire-source disk.qcow2 --cert s.crt --key s.key \\\n"
                "      --ca ca.crt https://upload.example:8443/v1beta1/upload\n"
                "  clonewire-source disk.qcow2 --to disk.img\n"
                "  clonewire-source --inspect disk.qcow2\n"
                "  clonewire-source --doctor /var/lib/vm\n",
    .peer = "clonewire-target",
    .story = story,
    .groups = groups,
    .rules = rules,
};
