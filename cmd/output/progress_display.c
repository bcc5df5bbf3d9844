#include "output/progress_display.h"

#include <fcntl.h>

#include "base/clock.h"
#include "output/terminal.h"

#define PLAIN_PERIOD_NS (10 * CLOCK_SECOND_NS)

static enum rows_progress choose_style(const struct log_print *log,
                                       const struct rows_output *output)
{
    if (output->quiet)
        return ROWS_PROGRESS_NONE;
    if (output->progress != ROWS_PROGRESS_AUTO)
        return output->progress;
    if (!log->is_json && terminal_is_smart(log->fd))
        return ROWS_PROGRESS_BAR;
    return ROWS_PROGRESS_PLAIN;
}

static bool is_fd(enum rows_progress progress)
{
    return (unsigned)progress <= ROWS_PROGRESS_FD_MAX;
}

bool display_is_possible(const struct rows_output *output)
{
    return !is_fd(output->progress) ||
           fcntl((int)output->progress, F_GETFD) >= 0;
}

void display_init(struct display *display, struct log_print *log,
                  const struct rows_output *output)
{
    *display = (struct display){
        .log = log,
        .to = log,
        .style = choose_style(log, output),
        .colour = terminal_wants_colour(),
    };
    pthread_mutex_init(&display->lock, NULL);
    if (is_fd(output->progress) && !output->quiet) {
        display->style = ROWS_PROGRESS_JSON;
        log_print_init(&display->json, (int)output->progress, true, log->side);
        display->to = &display->json;
    }
}

static void draw_bar(struct display *display, const struct cw_progress *p)
{
    char text[sizeof(display->log->status)];
    unsigned columns;

    columns = bar_format(&display->bar, p, terminal_columns(display->log->fd),
                         display->colour, text, sizeof(text));
    log_print_status(display->log, text, columns);
}

/* A log line at each phase, and now and then while one lasts. */
static void print_plain(struct display *display, const struct cw_progress *p,
                        bool is_new_phase)
{
    uint64_t now_ns = clock_now_ns();
    char text[256];

    if (!is_new_phase && now_ns - display->last_line_ns < PLAIN_PERIOD_NS)
        return;
    display->last_line_ns = now_ns;
    log_print_line(display->log, CW_LOG_INFO,
                   bar_format_plain(&display->bar, p, text, sizeof(text)));
}

static void print_json(struct display *display, const struct cw_progress *p)
{
    const struct bar *bar = &display->bar;
    struct json json;
    char buf[1024];

    log_print_open_json(display->to, &json, buf, sizeof(buf));
    json_add_text(&json, "event", "progress");
    json_add_text(&json, "phase", cw_phase_name(p->phase));
    json_add_thousandths(&json, "ratio", bar->permille);
    json_add_number(&json, "disk_bytes", p->disk_bytes);
    json_add_number(&json, "total_bytes", p->total_bytes);
    json_add_number(&json, "handled_bytes", p->handled_bytes);
    json_add_number(&json, "data_bytes", p->data_bytes);
    json_add_number(&json, "zero_bytes", p->zero_bytes);
    json_add_number(&json, "zeroed_bytes", p->zeroed_bytes);
    json_add_number(&json, "verified_bytes", p->verified_bytes);
    json_add_thousandths(&json, "elapsed_seconds", p->elapsed_ns / CLOCK_MS_NS);
    json_add_number(&json, "bytes_per_second", bar->data_rate);
    json_add_number(&json, "average_bytes_per_second", bar_average(p));
    if (bar->eta_s == BAR_NO_ETA)
        json_add_null(&json, "eta_seconds");
    else
        json_add_number(&json, "eta_seconds", bar->eta_s);
    json_add_number(&json, "lanes", p->lanes);
    log_print_json(display->to, &json);
}

void display_update(struct display *display, const struct cw_progress *progress)
{
    bool is_new_phase;

    if (display->style == ROWS_PROGRESS_NONE)
        return;
    pthread_mutex_lock(&display->lock);
    is_new_phase = !display->has_phase || display->phase != progress->phase;
    display->phase = progress->phase;
    display->has_phase = true;
    bar_update(&display->bar, progress);
    if (display->style == ROWS_PROGRESS_BAR)
        draw_bar(display, progress);
    else if (display->style == ROWS_PROGRESS_JSON)
        print_json(display, progress);
    else
        print_plain(display, progress, is_new_phase);
    pthread_mutex_unlock(&display->lock);
}

void display_finish(struct display *display)
{
    pthread_mutex_lock(&display->lock);
    log_print_end_status(display->log, display->phase == CW_PHASE_DONE);
    pthread_mutex_unlock(&display->lock);
}
