#include "monitor/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "job/job_status.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define LABEL_BYTES   (METRICS_TEXT_BYTES * 2)

__extension__ typedef unsigned __int128 u128;

enum unit {
    UNIT_ONE,
    UNIT_PPM,
    UNIT_NS,
};

enum side {
    SIDE_BOTH,
    SIDE_SOURCE,
    SIDE_TARGET,
};

struct row {
    const char *name; /* without prefix; a counter ends in _total */
    const char *help;
    bool is_progress; /* field: offset in struct progress, else metrics */
    size_t field;
    enum unit unit;
    enum side side;
};

#define VALUE(name)    false, offsetof(struct metrics, name)
#define PROGRESS(name) true, offsetof(struct progress, name)

/* clang-format off */
static const struct row rows[] = {
    { "disk_bytes", "Virtual size of the disk.",
      VALUE(disk_bytes), UNIT_ONE, SIDE_BOTH },
    { "mapped_bytes", "Data in the source image, to be cloned.",
      VALUE(mapped_bytes), UNIT_ONE, SIDE_BOTH },
    { "progress_ratio", "Progress from 0 to 1; 1 only when durable and equal.",
      VALUE(progress_ppm), UNIT_PPM, SIDE_BOTH },
    { "eta_seconds", "Estimated time left at the average speed so far.",
      VALUE(eta_ns), UNIT_NS, SIDE_BOTH },
    { "last_progress_timestamp_seconds", "Unix time when bytes last moved.",
      VALUE(last_progress_ns), UNIT_NS, SIDE_BOTH },
    { "read_bytes_total", "Bytes read from the source image.",
      VALUE(read_bytes), UNIT_ONE, SIDE_SOURCE },
    { "sent_bytes_total", "Data sent to the target.",
      PROGRESS(data_bytes), UNIT_ONE, SIDE_SOURCE },
    { "written_bytes_total", "Data written to the target disk.",
      PROGRESS(data_bytes), UNIT_ONE, SIDE_TARGET },
    { "zeroed_bytes_total", "Bytes zeroed on the target disk.",
      PROGRESS(zeroed_bytes), UNIT_ONE, SIDE_BOTH },
    { "skipped_bytes_total", "Zeros that were not sent.",
      PROGRESS(zero_bytes), UNIT_ONE, SIDE_BOTH },
    { "resumed_bytes_total", "Data not sent because the target already had it.",
      PROGRESS(resumed_bytes), UNIT_ONE, SIDE_BOTH },
    { "unverified_bytes_total",
      "Data the target already had and did not read again.",
      PROGRESS(unverified_bytes), UNIT_ONE, SIDE_BOTH },
    { "not_of_one_moment",
      "1: the image changed while it was read; the copy is a mixture.",
      PROGRESS(is_mixed), UNIT_ONE, SIDE_BOTH },
    { "pass", "Pass of a clone that follows its image; 0: it does not.",
      PROGRESS(pass), UNIT_ONE, SIDE_BOTH },
    { "cutover_seconds", "Expected duration of the last pass; 0: unknown.",
      PROGRESS(cutover_ns), UNIT_NS, SIDE_SOURCE },
    { "wire_bytes_total", "Bytes on the network, TLS included.",
      PROGRESS(wire_bytes), UNIT_ONE, SIDE_BOTH },
    { "compressed_bytes_total", "Bytes sent compressed, before compression.",
      PROGRESS(compressed_bytes), UNIT_ONE, SIDE_BOTH },
    { "compressed_to_bytes_total", "Bytes sent compressed, after compression.",
      PROGRESS(compressed_to_bytes), UNIT_ONE, SIDE_BOTH },
    { "retries_total", "Failed attempts to connect to the target.",
      PROGRESS(retries), UNIT_ONE, SIDE_SOURCE },
    { "reconnects_total", "Connections re-established after a loss.",
      PROGRESS(reconnects), UNIT_ONE, SIDE_BOTH },
    { "sessions_total", "Sessions with a source.",
      PROGRESS(sessions), UNIT_ONE, SIDE_TARGET },
    { "failed_sessions_total", "Sessions whose clone failed.",
      PROGRESS(failed_sessions), UNIT_ONE, SIDE_TARGET },
    { "verify_failures_total", "Clones whose digests did not match.",
      VALUE(verify_failures), UNIT_ONE, SIDE_BOTH },
};
/* clang-format on */

/* A text buffer.  A piece that does not fit is left out as a whole. */
struct out {
    char *buf;
    size_t len;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct out *out,
                                                      const char *fmt, ...)
{
    size_t room = out->len - out->used;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(out->buf + out->used, room, fmt, args);
    va_end(args);
    if (n > 0 && (size_t)n < room)
        out->used += (size_t)n;
    out->buf[out->used] = '\0';
}

static void add_head(struct out *out, const char *name, const char *type,
                     const char *help)
{
    add(out, "# HELP clonewire_%s %s\n# TYPE clonewire_%s %s\n", name, help,
        name, type);
}

/* Escapes backslash, quote and newline, as the exposition format requires. */
static const char *escape(const char *text, char out[LABEL_BYTES])
{
    size_t used = 0;

    for (; *text != '\0' && used < LABEL_BYTES - 2; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n')
            out[used++] = '\\';
        if (*text == '\n')
            out[used++] = 'n';
        else
            out[used++] = *text;
    }
    out[used] = '\0';
    return out;
}

static bool is_counter(const char *name)
{
    size_t len = strlen(name);

    return len > 6 && strcmp(name + len - 6, "_total") == 0;
}

static void add_row(struct out *out, const struct row *row, uint64_t value)
{
    add_head(out, row->name, is_counter(row->name) ? "counter" : "gauge",
             row->help);
    switch (row->unit) {
    case UNIT_ONE:
        add(out, "clonewire_%s %" PRIu64 "\n", row->name, value);
        break;
    case UNIT_PPM:
        add(out, "clonewire_%s %" PRIu64 ".%06" PRIu64 "\n", row->name,
            value / METRICS_PPM, value % METRICS_PPM);
        break;
    case UNIT_NS:
        add(out, "clonewire_%s %" PRIu64 ".%03" PRIu64 "\n", row->name,
            value / NS_PER_SECOND, value % NS_PER_SECOND / 1000000);
        break;
    }
}

static uint64_t value_of(const struct row *row, const struct metrics *metrics)
{
    const char *base = row->is_progress ? (const char *)metrics->progress
                                        : (const char *)metrics;
    const void *field = base + row->field;

    return row->is_progress ? progress_get(field) : *(const uint64_t *)field;
}

static void add_numbers(struct out *out, const struct metrics *metrics)
{
    enum side other = metrics->is_source ? SIDE_TARGET : SIDE_SOURCE;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = value_of(&rows[i], metrics);

        if (rows[i].side != other && value != METRICS_UNKNOWN)
            add_row(out, &rows[i], value);
    }
}

static void add_waits(struct out *out, const struct metrics *metrics)
{
    const struct {
        const char *stage;
        uint64_t ns;
    } waits[] = {
        { "disk", progress_get(&metrics->progress->wait_disk_ns) },
        { "network", progress_get(&metrics->progress->wait_net_ns) },
    };

    add_head(out, "wait_seconds_total", "counter",
             "Time that lanes waited for each stage, sum over lanes.");
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        add(out,
            "clonewire_wait_seconds_total{stage=\"%s\"} %" PRIu64 ".%03" PRIu64
            "\n",
            waits[i].stage, waits[i].ns / NS_PER_SECOND,
            waits[i].ns % NS_PER_SECOND / 1000000);
}

static void add_phase(struct out *out, const struct metrics *metrics)
{
    add_head(out, "phase", "gauge", "1 for the current phase of the clone.");
    for (unsigned i = CW_PHASE_STARTING; i <= CW_PHASE_DONE; i++)
        add(out, "clonewire_phase{phase=\"%s\"} %d\n",
            job_phase_name((enum cw_phase)i), i == (unsigned)metrics->phase);
    add_head(out, "ready", "gauge", "1 when /readyz answers 200.");
    add(out, "clonewire_ready %d\n", metrics->is_ready);
    add_head(out, "lanes", "gauge",
             "Negotiated number of parallel connections.");
    add(out, "clonewire_lanes %u\n", metrics->lanes);
}

static void add_info(struct out *out, const struct metrics *metrics)
{
    char job[LABEL_BYTES], tls[LABEL_BYTES], format[LABEL_BYTES];

    add_head(out, "build_info", "gauge", "Version and side of this program.");
    add(out, "clonewire_build_info{version=\"%s\",side=\"%s\"} 1\n",
        version_text(), metrics->is_source ? "source" : "target");
    add_head(out, "job_info", "gauge",
             "Properties of the clone, empty until known.");
    add(out,
        "clonewire_job_info{job_id=\"%s\",io_engine=\"%s\",tls=\"%s\","
        "image_format=\"%s\"} 1\n",
        escape(metrics->job_id, job), metrics->io_engine,
        escape(metrics->tls, tls), escape(metrics->image_format, format));
}

uint64_t metrics_progress_ppm(enum cw_phase phase, uint64_t handled_bytes,
                              uint64_t mapped_bytes)
{
    uint64_t ppm;

    if (phase == CW_PHASE_DONE)
        return METRICS_PPM;
    if (mapped_bytes == 0)
        return 0;
    ppm = (uint64_t)((u128)handled_bytes * METRICS_PPM / mapped_bytes);
    return ppm < METRICS_PPM ? ppm : METRICS_PPM - 1;
}

uint64_t metrics_eta_ns(enum cw_phase phase, uint64_t handled_bytes,
                        uint64_t mapped_bytes, uint64_t elapsed_ns)
{
    u128 ns;

    if (phase == CW_PHASE_DONE)
        return 0;
    if (phase != CW_PHASE_COPYING || handled_bytes == 0 ||
        handled_bytes > mapped_bytes)
        return METRICS_UNKNOWN;
    ns = (u128)elapsed_ns * (mapped_bytes - handled_bytes) / handled_bytes;
    return ns < METRICS_UNKNOWN ? (uint64_t)ns : METRICS_UNKNOWN;
}

size_t metrics_format(const struct metrics *metrics, char *buf, size_t len)
{
    struct out out = { buf, len, 0 };

    add_info(&out, metrics);
    add_phase(&out, metrics);
    add_numbers(&out, metrics);
    add_waits(&out, metrics);
    return out.used;
}

size_t metrics_format_cdi(const char *owner_uid, uint64_t progress_ppm,
                          char *buf, size_t len)
{
    static const char good[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.:/";
    const int uid_len = (int)strspn(owner_uid, good);
    int n = snprintf(buf, len,
                     "# HELP kubevirt_cdi_clone_progress_total "
                     "The clone progress in percentage\n"
                     "# TYPE kubevirt_cdi_clone_progress_total counter\n"
                     "kubevirt_cdi_clone_progress_total{ownerUID=\"%.*s\"} "
                     "%" PRIu64 ".%04" PRIu64 "\n",
                     uid_len, owner_uid, progress_ppm / 10000,
                     progress_ppm % 10000);

    return n > 0 && (size_t)n < len ? (size_t)n : 0;
}
