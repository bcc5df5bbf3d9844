#include "plan/sizing.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"
#include "plan/chunk_grid.h"

#define PPM         UINT64_C(1000000)
#define ALIGN_BYTES (UINT64_C(1) << 20)
#define MAX_BYTES   ((uint64_t)INT64_MAX) /* off_t: no file is larger */

__extension__ typedef unsigned __int128 u128;

static uint64_t at_min(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t at_max(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ceil(bytes * (1 + overhead)).  Returns true on overflow. */
static bool add_overhead(uint64_t *out, uint64_t bytes, uint32_t overhead_ppm)
{
    u128 scaled = ((u128)bytes * (PPM + overhead_ppm) + PPM - 1) / PPM;

    *out = (uint64_t)scaled;
    return scaled > UINT64_MAX;
}

uint64_t sizing_usable(uint64_t volume_bytes, uint32_t overhead_ppm)
{
    uint64_t share = PPM + overhead_ppm;
    u128 usable = ((u128)volume_bytes * PPM + share - 1) / share;

    return (uint64_t)usable & ~(ALIGN_BYTES - 1);
}

uint64_t sizing_kept(uint64_t volume_bytes, uint64_t available_bytes,
                     uint32_t overhead_ppm)
{
    u128 share = (u128)volume_bytes * overhead_ppm / (PPM + overhead_ppm);
    uint64_t taken_bytes = volume_bytes - at_max(volume_bytes, available_bytes);

    return (uint64_t)share - at_max((uint64_t)share, taken_bytes);
}

bool sizing_required(uint64_t *volume_bytes, uint64_t disk_bytes,
                     uint32_t overhead_ppm)
{
    uint64_t aligned;

    return ckd_align_up(&aligned, disk_bytes, ALIGN_BYTES) ||
           add_overhead(volume_bytes, aligned, overhead_ppm);
}

static int choose_disk(const struct sizing_facts *facts,
                       struct sizing_verdict *verdict, struct error *err)
{
    uint64_t disk = facts->wanted_bytes;

    if (disk != 0 && disk < facts->virtual_bytes && !facts->grow)
        return error_set(err, ERROR_USAGE, 0,
                         "wanted size of %" PRIu64
                         " bytes is smaller than the source disk of %" PRIu64,
                         disk, facts->virtual_bytes);
    if (facts->grow) {
        uint64_t max = facts->is_block_device
                           ? facts->available_bytes
                           : sizing_usable(facts->available_bytes,
                                           facts->overhead_ppm);

        disk = disk != 0 ? at_max(disk, max) : max;
    }
    disk = at_min(disk, facts->virtual_bytes);
    if (disk <= MAX_BYTES - SECTOR_BYTES) /* else no file can be so large */
        disk += chunk_grid_padding(disk);
    verdict->disk_bytes = disk;
    return 0;
}

static void weigh_device(const struct sizing_facts *facts,
                         struct sizing_verdict *verdict)
{
    verdict->need_bytes = verdict->disk_bytes;
    verdict->usable_bytes = facts->available_bytes;
    verdict->volume_bytes = verdict->disk_bytes;
    verdict->fits = verdict->disk_bytes <= facts->available_bytes;
}

/* What the filesystem keeps, as a share of the rest of the volume. */
static uint32_t measured_ppm(const struct sizing_facts *facts, uint64_t volume)
{
    u128 share = (u128)facts->kept_bytes * PPM;

    if (facts->kept_bytes == 0 || facts->kept_bytes >= volume / 2)
        return 0; /* the volume is too small to extrapolate from */
    share /= volume - facts->kept_bytes;
    return (uint32_t)share + 1;
}

uint64_t sizing_max(const struct sizing_facts *facts)
{
    uint64_t volume, usable;

    if (facts->is_block_device)
        return facts->available_bytes;
    if (ckd_add(&volume, facts->available_bytes, facts->taken_bytes))
        volume = UINT64_MAX;
    usable = sizing_usable(volume, facts->overhead_ppm);
    return facts->is_sparse
               ? usable
               : at_max(usable, facts->available_bytes & ~(ALIGN_BYTES - 1));
}

/*
 * The volume to request, of which stored bytes must be available.  If this
 * volume grows, the filesystem takes its share of the growth; one that keeps
 * more than the allowance will do so again.  Returns true on overflow.
 */
static bool name_volume(const struct sizing_facts *facts, uint64_t volume,
                        uint64_t stored, struct sizing_verdict *verdict)
{
    uint64_t available = facts->available_bytes, grown = 0;
    uint32_t growth_ppm = measured_ppm(facts, volume);

    if (growth_ppm < facts->overhead_ppm)
        growth_ppm = facts->overhead_ppm;
    if (stored > available &&
        (add_overhead(&grown, stored - available, growth_ppm) ||
         ckd_add(&grown, grown, volume)))
        return true;
    verdict->volume_bytes = at_min(verdict->volume_bytes, grown);
    return false;
}

/* A sparse file: needs the volume for the disk, and room for its data. */
static bool weigh_sparse(const struct sizing_facts *facts, uint64_t volume,
                         struct sizing_verdict *verdict)
{
    bool lacks_volume = verdict->disk_bytes > verdict->usable_bytes;

    if (lacks_volume) {
        verdict->need_bytes = verdict->volume_bytes;
        verdict->have_bytes = volume;
    } else if (verdict->need_bytes > facts->available_bytes) {
        verdict->need_bytes = facts->data_bytes;
    }
    verdict->fits = !lacks_volume &&
                    facts->data_bytes <= facts->available_bytes;
    return name_volume(facts, volume, facts->data_bytes, verdict);
}

/*
 * Applies the limits of the header: the volume must hold disk and overhead, and
 * the available space the disk or its data.  Returns true on overflow.
 */
static bool weigh_filesystem(const struct sizing_facts *facts,
                             struct sizing_verdict *verdict)
{
    uint64_t aligned, required, volume, share;

    if (ckd_align_up(&aligned, verdict->disk_bytes, ALIGN_BYTES) ||
        sizing_required(&required, aligned, facts->overhead_ppm) ||
        ckd_add(&volume, facts->available_bytes, facts->taken_bytes))
        return true;

    share = required - aligned;
    share -= at_max(share, facts->taken_bytes);
    verdict->need_bytes = aligned + share;
    verdict->usable_bytes = sizing_max(facts);
    verdict->volume_bytes = required;
    if (facts->is_sparse)
        return weigh_sparse(facts, volume, verdict);
    verdict->fits = verdict->disk_bytes <= verdict->usable_bytes;
    return name_volume(facts, volume, aligned, verdict);
}

/* Stores the numbers of the message for programs.  Always returns -1. */
static int note_space(const struct sizing_verdict *v, struct error *err)
{
    err->space = (struct error_space){
        .need_bytes = v->need_bytes,
        .have_bytes = v->have_bytes,
        .usable_bytes = v->usable_bytes,
        .shortfall_bytes = v->shortfall_bytes,
        .volume_bytes = v->volume_bytes,
    };
    return -1;
}

static int refuse(const struct sizing_verdict *v, struct error *err)
{
    char overhead[24];

    if (v->is_block_device) {
        error_set(err, ERROR_NO_SPACE, 0,
                  "disk of %" PRIu64 " bytes does not fit: device has %" PRIu64
                  ": short by %" PRIu64
                  "; request a volume of at least %" PRIu64 " bytes",
                  v->disk_bytes, v->have_bytes, v->shortfall_bytes,
                  v->volume_bytes);
        return note_space(v, err);
    }
    if (v->disk_bytes <= v->usable_bytes) {
        error_set(err, ERROR_NO_SPACE, 0,
                  "disk of %" PRIu64 " bytes does not fit: its data takes "
                  "%" PRIu64 ", volume has %" PRIu64 " free: short by %" PRIu64
                  "; request a volume of at least %" PRIu64 " bytes",
                  v->disk_bytes, v->need_bytes, v->have_bytes,
                  v->shortfall_bytes, v->volume_bytes);
        return note_space(v, err);
    }
    sizing_format_ppm(overhead, sizeof(overhead), v->overhead_ppm);
    error_set(err, ERROR_NO_SPACE, 0,
              "disk of %" PRIu64 " bytes does not fit: needs %" PRIu64
              " with %s overhead, volume has %" PRIu64 " (usable %" PRIu64
              "): short by %" PRIu64 "; request a volume of at least %" PRIu64
              " bytes",
              v->disk_bytes, v->need_bytes, overhead, v->have_bytes,
              v->usable_bytes, v->shortfall_bytes, v->volume_bytes);
    return note_space(v, err);
}

int sizing_plan(const struct sizing_facts *facts,
                struct sizing_verdict *verdict, struct error *err)
{
    *verdict = (struct sizing_verdict){
        .have_bytes = facts->available_bytes,
        .overhead_ppm = facts->is_block_device ? 0 : facts->overhead_ppm,
        .is_block_device = facts->is_block_device,
    };
    if (choose_disk(facts, verdict, err) < 0)
        return -1;
    if (facts->is_block_device)
        weigh_device(facts, verdict);
    if (verdict->disk_bytes > MAX_BYTES ||
        (!facts->is_block_device && weigh_filesystem(facts, verdict)))
        return error_set(err, ERROR_FORMAT, 0,
                         "disk of %" PRIu64 " bytes is larger than can be made",
                         verdict->disk_bytes);

    verdict->shortfall_bytes = verdict->fits
                                   ? 0
                                   : verdict->need_bytes - verdict->have_bytes;
    if (verdict->fits || facts->overcommit)
        return 0;
    return refuse(verdict, err);
}

const char *sizing_format_ppm(char *buf, size_t len, uint32_t ppm)
{
    uint32_t rest = ppm % 10000;
    int digits = 4;

    while (digits > 0 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    if (digits == 0)
        snprintf(buf, len, "%" PRIu32 " %%", ppm / 10000);
    else
        snprintf(buf, len, "%" PRIu32 ".%0*" PRIu32 " %%", ppm / 10000, digits,
                 rest);
    return buf;
}
