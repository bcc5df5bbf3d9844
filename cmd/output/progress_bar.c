#include "output/progress_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

#define SMOOTH_NS        ((u128)3 * CLOCK_SECOND_NS) /* time constant */
#define SAMPLE_NS        (100 * CLOCK_MS_NS) /* shorter ones are noise */
#define FIELD_BYTES      64
#define PROGRESS_BAR_MIN 10 /* minimum useful columns */
#define PROGRESS_BAR_MAX 60
#define HOUR_S           UINT64_C(3600)

__extension__ typedef unsigned __int128 u128;

/* Smooths rate with the rate of the last dt_ns. */
static void smooth(uint64_t *rate, uint64_t delta_bytes, uint64_t dt_ns,
                   bool is_first)
{
    u128 sample = (u128)delta_bytes * CLOCK_SECOND_NS / dt_ns;
    u128 sum = *rate * SMOOTH_NS + sample * dt_ns;

    *rate = (uint64_t)(is_first ? sample : sum / (SMOOTH_NS + dt_ns));
}

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void update_rates(struct progress_bar *bar, const struct cw_progress *p)
{
    uint64_t dt_ns = grown(p->elapsed_ns, bar->last_ns);

    if (dt_ns < SAMPLE_NS)
        return;
    smooth(&bar->data_rate, grown(p->data_bytes, bar->last_data_bytes), dt_ns,
           !bar->has_rate);
    smooth(&bar->handled_rate, grown(p->handled_bytes, bar->last_handled_bytes),
           dt_ns, !bar->has_rate);
    bar->has_rate = true;
    bar->last_ns = p->elapsed_ns;
    bar->last_data_bytes = p->data_bytes;
    bar->last_handled_bytes = p->handled_bytes;
}

static unsigned permille_of(const struct cw_progress *p)
{
    if (p->phase == CW_PHASE_DONE)
        return 1000;
    if (p->phase > CW_PHASE_COPYING || p->handled_bytes >= p->total_bytes)
        return p->phase >= CW_PHASE_COPYING ? 999 : 0;
    return (unsigned)((u128)p->handled_bytes * 1000 / p->total_bytes);
}

static bool is_moving(const struct cw_progress *p)
{
    return p->phase == CW_PHASE_COPYING && p->lost_ns == 0;
}

uint64_t progress_bar_average(const struct cw_progress *progress)
{
    if (progress->elapsed_ns < SAMPLE_NS)
        return 0;
    return (uint64_t)((u128)progress->data_bytes * CLOCK_SECOND_NS /
                      progress->elapsed_ns);
}

void progress_bar_update(struct progress_bar *bar,
                         const struct cw_progress *progress)
{
    unsigned permille = permille_of(progress);

    if (permille > 999 && progress->phase != CW_PHASE_DONE)
        permille = 999;
    if (permille > bar->permille)
        bar->permille = permille;
    update_rates(bar, progress);

    bar->eta_s = PROGRESS_BAR_NO_ETA;
    if (is_moving(progress) && bar->handled_rate > 0)
        bar->eta_s = grown(progress->total_bytes, progress->handled_bytes) /
                     bar->handled_rate;
}

/* "0:07", "12:03", "3:04:05"; "" when unknown. */
static const char *format_eta(char *buf, size_t len, uint64_t eta_s)
{
    buf[0] = '\0';
    if (eta_s == PROGRESS_BAR_NO_ETA)
        return buf;
    if (eta_s >= 100 * HOUR_S)
        snprintf(buf, len, ">99h");
    else if (eta_s >= HOUR_S)
        snprintf(buf, len, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                 eta_s / HOUR_S, eta_s / 60 % 60, eta_s % 60);
    else
        snprintf(buf, len, "%" PRIu64 ":%02" PRIu64, eta_s / 60, eta_s % 60);
    return buf;
}

/* The fields of the line from left to right. */
enum field {
    FIELD_PHASE,
    FIELD_PERCENT,
    FIELD_BAR,
    FIELD_AMOUNT,
    FIELD_RATE,
    FIELD_AVERAGE,
    FIELD_ETA,
    FIELD_ZEROS,
    FIELD_LANES,
    FIELD_COUNT
};

/* Fields by priority, while there is space. */
static const enum field by_need[FIELD_COUNT] = {
    FIELD_PERCENT, FIELD_RATE,  FIELD_ETA,     FIELD_BAR,   FIELD_PHASE,
    FIELD_AMOUNT,  FIELD_ZEROS, FIELD_AVERAGE, FIELD_LANES,
};

struct line {
    char text[FIELD_COUNT][FIELD_BYTES]; /* "": empty */
    bool shown[FIELD_COUNT];
    unsigned bar_columns;
};

/* Of the disk during read-back; of the copied data otherwise. */
static void fill_amount(char *text, const struct cw_progress *p)
{
    bool is_reading_back = p->phase == CW_PHASE_VERIFYING &&
                           p->verified_bytes > 0;
    char a[32], b[32];

    snprintf(
        text, FIELD_BYTES, "%s/%s%s",
        format_bytes(a, sizeof(a),
                     is_reading_back ? p->verified_bytes : p->handled_bytes),
        format_bytes(b, sizeof(b),
                     is_reading_back ? p->disk_bytes : p->total_bytes),
        is_reading_back ? " read back" : "");
}

static void fill_amounts(struct line *line, const struct progress_bar *bar,
                         const struct cw_progress *p)
{
    char a[32], b[32];

    fill_amount(line->text[FIELD_AMOUNT], p);
    if (is_moving(p) && bar->has_rate)
        snprintf(line->text[FIELD_RATE], FIELD_BYTES, "%s/s",
                 format_bytes(a, sizeof(a), bar->data_rate));
    if (is_moving(p) && progress_bar_average(p) > 0)
        snprintf(line->text[FIELD_AVERAGE], FIELD_BYTES, "avg %s/s",
                 format_bytes(a, sizeof(a), progress_bar_average(p)));
    if (bar->eta_s != PROGRESS_BAR_NO_ETA && is_moving(p))
        snprintf(line->text[FIELD_ETA], FIELD_BYTES, "ETA %s",
                 format_eta(a, sizeof(a), bar->eta_s));
    if (p->zero_bytes > 0)
        snprintf(line->text[FIELD_ZEROS], FIELD_BYTES, "zeros %s",
                 format_bytes(a, sizeof(a), p->zero_bytes));
    if (p->zeroed_bytes > 0) /* more than skipped where a tail is zeroed */
        snprintf(line->text[FIELD_ZEROS], FIELD_BYTES, "zeros %s, %s zeroed",
                 format_bytes(a, sizeof(a), p->zero_bytes),
                 format_bytes(b, sizeof(b), p->zeroed_bytes));
    if (p->lanes > 0)
        snprintf(line->text[FIELD_LANES], FIELD_BYTES, "%u lane%s", p->lanes,
                 p->lanes == 1 ? "" : "s");
}

/* "reconnecting 0:12, 4:48 left" */
static void fill_lost(char *text, const struct cw_progress *p)
{
    char since[16], left[16];

    snprintf(text, FIELD_BYTES, "reconnecting %s, %s left",
             format_eta(since, sizeof(since), p->lost_ns / CLOCK_SECOND_NS),
             format_eta(left, sizeof(left), p->retry_ns / CLOCK_SECOND_NS));
}

static void fill(struct line *line, const struct progress_bar *bar,
                 const struct cw_progress *p)
{
    *line = (struct line){ 0 };
    snprintf(line->text[FIELD_PHASE], FIELD_BYTES, "%s",
             cw_phase_name(p->phase));
    if (p->lost_ns > 0)
        fill_lost(line->text[FIELD_PHASE], p);
    if (p->phase < CW_PHASE_COPYING)
        return;
    /* Padded to the longest phase, so that columns stay aligned. */
    if (p->lost_ns == 0)
        snprintf(line->text[FIELD_PHASE], FIELD_BYTES, "%-9s",
                 cw_phase_name(p->phase));
    snprintf(line->text[FIELD_PERCENT], FIELD_BYTES, "%3u.%u%%",
             bar->permille / 10, bar->permille % 10);
    if (p->lost_ns == 0) /* drawn when it is sized */
        memset(line->text[FIELD_BAR], ' ', PROGRESS_BAR_MIN);
    fill_amounts(line, bar, p);
}

/* Places the fields; the bar takes the remaining columns. */
static void arrange(struct line *line, unsigned room)
{
    unsigned used = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum field field = by_need[i];
        unsigned need = (unsigned)strlen(line->text[field]);

        if (need == 0)
            continue;
        if (used > 0)
            need++; /* the separating space */
        if (need > room - used)
            continue;
        used += need;
        line->shown[field] = true;
    }
    if (!line->shown[FIELD_BAR])
        return;
    line->bar_columns = PROGRESS_BAR_MIN + room - used;
    if (line->bar_columns > PROGRESS_BAR_MAX)
        line->bar_columns = PROGRESS_BAR_MAX;
}

/* A text buffer; appends are truncated to fit. */
struct out {
    char *buf;
    size_t len;
    size_t used;
};

static void put(struct out *out, const char *text, size_t times)
{
    size_t n = strlen(text);

    for (; times > 0 && out->used + n < out->len; times--) {
        memcpy(out->buf + out->used, text, n + 1);
        out->used += n;
    }
}

/* "[=====>    ]" */
static void put_bar(struct out *out, const struct progress_bar *bar,
                    unsigned columns, bool colour)
{
    unsigned inner = columns - 2;
    unsigned full = inner * bar->permille / 1000;

    put(out, "[", 1);
    if (colour)
        put(out, "\033[32m", 1);
    put(out, "=", full);
    if (full < inner)
        put(out, ">", 1);
    if (colour)
        put(out, "\033[0m", 1);
    if (full < inner)
        put(out, " ", inner - full - 1);
    put(out, "]", 1);
}

unsigned progress_bar_format(const struct progress_bar *bar,
                             const struct cw_progress *progress,
                             unsigned columns, bool colour, char *buf,
                             size_t len)
{
    struct out out = { .buf = buf, .len = len };
    unsigned taken = 0;
    struct line line;

    buf[0] = '\0';
    if (columns < 2)
        return 0;
    fill(&line, bar, progress);
    arrange(&line, columns - 1);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (!line.shown[i])
            continue;
        if (taken > 0) {
            put(&out, " ", 1);
            taken++;
        }
        if (i == FIELD_BAR) {
            put_bar(&out, bar, line.bar_columns, colour);
            taken += line.bar_columns;
        } else {
            put(&out, line.text[i], 1);
            taken += (unsigned)strlen(line.text[i]);
        }
    }
    return taken;
}

const char *progress_bar_format_plain(const struct progress_bar *bar,
                                      const struct cw_progress *progress,
                                      char *buf, size_t len)
{
    struct out out = { .buf = buf, .len = len };
    char percent[16];
    struct line line;

    fill(&line, bar, progress);
    buf[0] = '\0';
    put(&out,
        progress->lost_ns > 0 ? line.text[FIELD_PHASE]
                              : cw_phase_name(progress->phase),
        1);
    if (progress->phase < CW_PHASE_COPYING)
        return buf;
    snprintf(percent, sizeof(percent), "%s %u.%u%%",
             progress->lost_ns > 0 ? ", at" : "", bar->permille / 10,
             bar->permille % 10);
    put(&out, percent, 1);
    for (unsigned i = FIELD_AMOUNT; i < FIELD_COUNT; i++) {
        if (line.text[i][0] == '\0')
            continue;
        put(&out, ", ", 1);
        put(&out, line.text[i], 1);
    }
    return buf;
}
