/*
 * progress_bar.h - progress as people read it.  Pure: numbers in, text out.
 *
 * Honest: 100 % only in CW_PHASE_DONE (durable and equal), never backwards,
 * and no guess where nothing is known yet.
 */
#ifndef CW_OUTPUT_PROGRESS_BAR_H
#define CW_OUTPUT_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clonewire/clonewire.h"

#define PROGRESS_BAR_NO_ETA UINT64_MAX

/* What has been learnt from one update to the next; zeroed to begin with. */
struct progress_bar {
    unsigned permille;     /* done, 0..1000 */
    uint64_t data_rate;    /* bytes/s moved, smoothed over some seconds */
    uint64_t handled_rate; /* bytes/s moved or skipped */
    uint64_t eta_s;        /* or PROGRESS_BAR_NO_ETA */
    bool has_rate;
    uint64_t last_ns;
    uint64_t last_data_bytes;
    uint64_t last_handled_bytes;
};

void progress_bar_update(struct progress_bar *bar,
                         const struct cw_progress *progress);

/*
 * Writes one line of at most columns - 1 columns (a full one would wrap) to
 * buf: what is least needed is left out first.  Returns the columns taken;
 * escape sequences for colour take none.
 *
 *   copying    42.3% [=====>      ] 1.2 GiB/3 GiB 812.3 MiB/s ETA 0:02
 */
unsigned progress_bar_format(const struct progress_bar *bar,
                             const struct cw_progress *progress,
                             unsigned columns, bool colour, char *buf,
                             size_t len);

/* The same as a log line: "copying 42.3%, 1.2 GiB of 3 GiB, ..." */
const char *progress_bar_format_plain(const struct progress_bar *bar,
                                      const struct cw_progress *progress,
                                      char *buf, size_t len);

/* Bytes a second moved since copying began; 0: too early to say. */
uint64_t progress_bar_average(const struct cw_progress *progress);

#endif
