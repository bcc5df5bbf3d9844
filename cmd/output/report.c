#include "output/report.h"

#include <inttypes.h>

#include "base/parse.h"
#include "output/json_writer.h"
#include "output/summary.h"
#include "program/sandbox.h"

#define JSON_BYTES   2048
#define AMOUNT_BYTES 32

static void print_amount(const char *label, uint64_t bytes, FILE *out)
{
    char text[AMOUNT_BYTES];

    fprintf(out, "%-20s %" PRIu64 " bytes (%s)\n", label, bytes,
            format_bytes(text, sizeof(text), bytes));
}

static void print_overhead(uint32_t ppm, FILE *out)
{
    fprintf(out, "%-20s %u.%04u %%\n", "filesystem overhead", ppm / 10000,
            ppm % 10000);
}

void report_inspection(const struct cw_inspection *i, bool as_json, FILE *out)
{
    struct json json;
    char buf[JSON_BYTES];

    if (!as_json) {
        fprintf(out, "%-20s %s\n", "format", i->format);
        print_amount("virtual size", i->virtual_bytes, out);
        print_amount("data", i->data_bytes, out);
        print_amount("zeros", i->zero_bytes, out);
        print_amount("allocated", i->allocated_bytes, out);
        print_overhead(i->fs_overhead_ppm, out);
        print_amount("filesystem volume", i->file_volume_bytes, out);
        print_amount("block volume", i->block_volume_bytes, out);
        return;
    }
    json_open(&json, buf, sizeof(buf));
    json_add_text(&json, "format", i->format);
    json_add_number(&json, "virtual_bytes", i->virtual_bytes);
    json_add_number(&json, "data_bytes", i->data_bytes);
    json_add_number(&json, "zero_bytes", i->zero_bytes);
    json_add_number(&json, "allocated_bytes", i->allocated_bytes);
    json_add_number(&json, "fs_overhead_ppm", i->fs_overhead_ppm);
    json_add_number(&json, "file_volume_bytes", i->file_volume_bytes);
    json_add_number(&json, "block_volume_bytes", i->block_volume_bytes);
    fprintf(out, "%s\n", json_close(&json));
}

static void print_plan(const struct cw_plan *p, const struct cw_error *error,
                       FILE *out)
{
    fprintf(out, "%-20s %s\n", "fits", error ? "no" : "yes");
    print_amount("disk", p->disk_bytes, out);
    print_amount("need", p->space.need_bytes, out);
    print_amount("have", p->space.have_bytes, out);
    print_amount("usable", p->space.usable_bytes, out);
    if (error)
        print_amount("shortfall", p->space.shortfall_bytes, out);
    if (!p->is_block_device)
        print_overhead(p->fs_overhead_ppm, out);
    print_amount("volume to request", p->space.volume_bytes, out);
}

void report_plan(const struct cw_plan *p, const struct cw_error *error,
                 bool as_json, FILE *out)
{
    struct json json;
    char buf[JSON_BYTES];

    if (!as_json) {
        print_plan(p, error, out);
        return;
    }
    json_open(&json, buf, sizeof(buf));
    json_add_bool(&json, "fits", !error);
    json_add_text(&json, "kind", p->is_block_device ? "block" : "file");
    json_add_number(&json, "disk_bytes", p->disk_bytes);
    summary_add_space(&json, &p->space);
    json_add_number(&json, "fs_overhead_ppm", p->fs_overhead_ppm);
    fprintf(out, "%s\n", json_close(&json));
}

static void print_finding_json(const struct cw_finding *f, FILE *out)
{
    struct json json;
    char buf[JSON_BYTES];

    json_open(&json, buf, sizeof(buf));
    json_add_text(&json, "name", f->name);
    json_add_bool(&json, "good", f->is_good);
    json_add_text(&json, "found", f->found);
    json_add_text(&json, "advice", f->advice);
    fprintf(out, "%s\n", json_close(&json));
}

/* A program's own, so the library does not know of it. */
static void find_sandbox(struct cw_finding *finding)
{
    *finding = (struct cw_finding){ .name = "sandbox" };
    finding->is_good = sandbox_describe(finding->found, sizeof(finding->found));
    if (!finding->is_good)
        snprintf(
            finding->advice, sizeof(finding->advice), "%s",
            "a kernel of 5.13 or newer with \"landlock\" in its list of "
            "security modules (lsm=) confines the programs to their files");
}

int report_doctor(const char *path, bool as_json, FILE *out)
{
    struct cw_finding findings[CW_FINDINGS + 1];
    unsigned count = cw_doctor(path, findings);

    find_sandbox(&findings[count++]);

    for (unsigned i = 0; i < count; i++) {
        const struct cw_finding *f = &findings[i];

        if (as_json)
            print_finding_json(f, out);
        else
            fprintf(out, "%-4s %-14s %s%s%s\n", f->is_good ? "ok" : "no",
                    f->name, f->found, f->advice[0] ? ": " : "", f->advice);
    }
    return 0;
}

void report_receipt(const struct cw_receipt *receipt, const char *path,
                    bool as_json, FILE *out)
{
    char when[FORMAT_TIME_BYTES], buf[JSON_BYTES];
    struct json json;

    format_time(when, receipt->ended_unix_ns);
    if (!as_json) {
        fprintf(out,
                "%s is the disk that was cloned at %s: %" PRIu64
                " bytes, digest %s\n",
                path, when, receipt->disk_bytes, receipt->digest);
        return;
    }
    json_open(&json, buf, sizeof(buf));
    json_add_bool(&json, "equal", true);
    json_add_number(&json, "disk_bytes", receipt->disk_bytes);
    json_add_text(&json, "digest", receipt->digest);
    json_add_text(&json, "cloned", when);
    fprintf(out, "%s\n", json_close(&json));
}

int report_difference(void *as_json, uint64_t offset, uint64_t length)
{
    struct json json;
    char buf[160];

    if (!*(const bool *)as_json)
        return printf("differs at %" PRIu64 ", %" PRIu64 " bytes\n", offset,
                      length);
    json_open(&json, buf, sizeof(buf));
    json_add_bool(&json, "equal", false);
    json_add_number(&json, "offset", offset);
    json_add_number(&json, "length", length);
    return printf("%s\n", json_close(&json));
}
