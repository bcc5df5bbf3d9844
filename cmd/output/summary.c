#include "output/summary.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/parse.h"

#define AMOUNT_BYTES 32

__extension__ typedef unsigned __int128 u128;

static uint64_t bytes_per_second(uint64_t bytes, uint64_t ns)
{
    return ns == 0 ? 0 : (uint64_t)((u128)bytes * CLOCK_SECOND_NS / ns);
}

/* Returns the share of the lanes' time spent waiting, in percent. */
static unsigned wait_percent(const struct cw_summary *s, uint64_t wait_ns)
{
    u128 whole_ns = (u128)s->elapsed_ns * s->lanes;
    u128 percent = whole_ns == 0 ? 0 : (u128)wait_ns * 100 / whole_ns;

    return percent > 100 ? 100 : (unsigned)percent;
}

static void print_compressed(const struct cw_summary *s, FILE *out)
{
    char a[AMOUNT_BYTES], b[AMOUNT_BYTES];

    if (s->compressed_bytes > 0)
        fprintf(out, "compressed     %s to %s, by zstd\n",
                format_bytes(a, sizeof(a), s->compressed_bytes),
                format_bytes(b, sizeof(b), s->compressed_to_bytes));
}

static void print_amounts(const struct cw_summary *s, FILE *out)
{
    char a[AMOUNT_BYTES], b[AMOUNT_BYTES];

    fprintf(out, "disk           %s (%" PRIu64 " bytes)%s%s\n",
            format_bytes(a, sizeof(a), s->disk_bytes), s->disk_bytes,
            s->image_format[0] != '\0' ? ", " : "", s->image_format);
    if (s->padding_bytes > 0)
        fprintf(out, "padding        %" PRIu64 " zeros, to whole sectors\n",
                s->padding_bytes);
    if (s->wire_bytes > 0)
        fprintf(out, "data sent      %s, %s on the wire\n",
                format_bytes(a, sizeof(a), s->data_bytes),
                format_bytes(b, sizeof(b), s->wire_bytes));
    else
        fprintf(out, "data copied    %s\n",
                format_bytes(a, sizeof(a), s->data_bytes));
    print_compressed(s, out);
    fprintf(out, "zeros skipped  %s\n",
            format_bytes(a, sizeof(a), s->zero_bytes));
    if (s->same_bytes > 0 || s->reconnects > 0)
        fprintf(out, "not sent again %s, %u reconnects\n",
                format_bytes(a, sizeof(a), s->same_bytes), s->reconnects);
    fprintf(out, "verified       %" PRIu64 " of %" PRIu64 " bytes\n",
            s->verified_bytes, s->verified_bytes + s->unread_bytes);
    if (s->unverified_bytes > 0)
        fprintf(out, "not verified   %" PRIu64 " bytes on the target's disk\n",
                s->unverified_bytes);
    if (s->passes > 0)
        fprintf(out, "passes         %u\n", s->passes);
    if (s->is_mixed)
        fprintf(out,
                "state          not of one moment: the image changed while "
                "it was read\n");
    if (s->allocated_bytes > 0)
        fprintf(out, "allocated      %s\n",
                format_bytes(a, sizeof(a), s->allocated_bytes));
}

static void print_speed(const struct cw_summary *s, FILE *out)
{
    char a[AMOUNT_BYTES], b[AMOUNT_BYTES];
    uint64_t ms = s->elapsed_ns / CLOCK_MS_NS;

    fprintf(out,
            "time           %" PRIu64 ".%03" PRIu64
            " s, data %s/s, disk %s/s\n",
            ms / 1000, ms % 1000,
            format_bytes(a, sizeof(a),
                         bytes_per_second(s->data_bytes, s->elapsed_ns)),
            format_bytes(b, sizeof(b),
                         bytes_per_second(s->disk_bytes, s->elapsed_ns)));
    fprintf(out, "lanes          %u, waited %u%% for disk, %u%% for network\n",
            s->lanes, wait_percent(s, s->wait_disk_ns),
            wait_percent(s, s->wait_net_ns));
}

/* Prints "label  value" if there is a value. */
static void print_word(const char *label, const char *value, FILE *out)
{
    if (value && value[0] != '\0')
        fprintf(out, "%-14s %s\n", label, value);
}

void summary_print(const struct cw_summary *s, FILE *out)
{
    print_amounts(s, out);
    print_speed(s, out);
    print_word("limited by", s->limited_by, out);
    print_word("I/O engine", s->io_engine, out);
    print_word("I/O mode", s->io_mode, out);
    print_word("holes", s->reads_holes ? "read, not skipped" : "", out);
    print_word("cipher", s->tls, out);
    print_word("peer", s->peer, out);
    print_word("zero method", s->zero_method, out);
    if (s->preallocation && s->preallocation_why[0] != '\0')
        fprintf(out, "%-14s %s (%s)\n", "preallocation", s->preallocation,
                s->preallocation_why);
    else
        print_word("preallocation", s->preallocation, out);
    if (s->digest[0] != '\0') /* none for files over HTTP */
        fprintf(out, "digest %s\n", s->digest);
}

/* Adds a text; an empty one as null. */
static void add_word(struct json *json, const char *key, const char *value)
{
    json_add_text(json, key, value && value[0] != '\0' ? value : NULL);
}

void summary_add_json(const struct cw_summary *s, struct json *json)
{
    json_add_number(json, "disk_bytes", s->disk_bytes);
    json_add_number(json, "padding_bytes", s->padding_bytes);
    json_add_number(json, "data_bytes", s->data_bytes);
    json_add_number(json, "zero_bytes", s->zero_bytes);
    json_add_number(json, "same_bytes", s->same_bytes);
    json_add_number(json, "verified_bytes", s->verified_bytes);
    json_add_number(json, "unread_bytes", s->unread_bytes);
    json_add_number(json, "unverified_bytes", s->unverified_bytes);
    json_add_bool(json, "not_of_one_moment", s->is_mixed);
    json_add_number(json, "passes", s->passes);
    json_add_number(json, "reconnects", s->reconnects);
    json_add_number(json, "wire_bytes", s->wire_bytes);
    json_add_number(json, "compressed_bytes", s->compressed_bytes);
    json_add_number(json, "compressed_to_bytes", s->compressed_to_bytes);
    json_add_number(json, "allocated_bytes", s->allocated_bytes);
    json_add_thousandths(json, "seconds", s->elapsed_ns / CLOCK_MS_NS);
    json_add_number(json, "bytes_per_second",
                    bytes_per_second(s->data_bytes, s->elapsed_ns));
    json_add_thousandths(json, "wait_disk_seconds",
                         s->wait_disk_ns / CLOCK_MS_NS);
    json_add_thousandths(json, "wait_network_seconds",
                         s->wait_net_ns / CLOCK_MS_NS);
    json_add_number(json, "lanes", s->lanes);
    add_word(json, "limited_by", s->limited_by);
    add_word(json, "image_format", s->image_format);
    add_word(json, "io_engine", s->io_engine);
    add_word(json, "io_mode", s->io_mode);
    add_word(json, "holes", s->reads_holes ? "read" : "");
    add_word(json, "cipher", s->tls);
    add_word(json, "peer", s->peer);
    add_word(json, "zero_method", s->zero_method);
    add_word(json, "preallocation", s->preallocation);
    add_word(json, "preallocation_why", s->preallocation_why);
    json_add_text(json, "digest", s->digest);
}

void summary_add_error(struct json *json, const struct cw_error *error)
{
    json_add_text(json, "kind", error->kind);
    json_add_number(json, "status", (uint64_t)error->status);
    json_add_number(json, "errno", (uint64_t)error->errnum);
    if (error->offset == UINT64_MAX)
        json_add_null(json, "offset");
    else
        json_add_number(json, "offset", error->offset);
    json_add_bool(json, "retryable", error->retryable);
    json_add_bool(json, "from_peer", error->from_peer);
    json_add_text(json, "hint", error->hint ? error->hint : "");
    summary_add_space(json, &error->space);
}

void summary_add_space(struct json *json, const struct cw_space *space)
{
    if (space->need_bytes == 0)
        return;
    json_add_number(json, "need_bytes", space->need_bytes);
    json_add_number(json, "have_bytes", space->have_bytes);
    json_add_number(json, "usable_bytes", space->usable_bytes);
    json_add_number(json, "shortfall_bytes", space->shortfall_bytes);
    json_add_number(json, "volume_bytes", space->volume_bytes);
}
