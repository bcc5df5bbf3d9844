#include "output/progress_display.h"

#include <fcntl.h>

#include "base/clock.h"
#include "output/terminal.h"

#define PLAIN_PERIOD_NS (10 * CLOCK_SECOND_NS)

static bool is_fd(enum common_options_progress progress)
{
    return (unsigned)progress <= COMMON_OPTIONS_PROGRESS_FD_MAX;
}

static enum common_options_progress choose_style(
    const struct log_output *log, const struct common_options_output *output)
{
    if (is_fd(output->progress))
        return COMMON_OPTIONS_PROGRESS_JSON;
    if (output->quiet)
        return COMMON_OPTIONS_PROGRESS_NONE;
    if (output->progress != COMMON_OPTIONS_PROGRESS_AUTO)
        return output->progress;
    if (!log->is_json && terminal_is_smart(log->fd))
        return COMMON_OPTIONS_PROGRESS_BAR;
    return COMMON_OPTIONS_PROGRESS_PLAIN;
}

int progress_display_fd(const struct common_options_output *output)
{
    return is_fd(output->progress) ? (int)output->progress : -1;
}

bool progress_display_is_possible(const struct common_options_output *output)
{
    return !is_fd(output->progress) ||
           fcntl((int)output->progress, F_GETFD) >= 0;
}

void progress_display_init(struct progress_display *display,
                           struct log_output *log,
                           const struct common_options_output *output)
{
    *display = (struct progress_display){
        .log = log,
        .to = log,
        .style = choose_style(log, output),
        .colour = terminal_wants_colour(),
    };
    pthread_mutex_init(&display->lock, NULL);
    if (is_fd(output->progress)) {
        log_output_init(&display->json, (int)output->progress, true, log->side);
        display->to = &display->json;
    }
}

int progress_display_start(struct progress_display *display, struct error *err)
{
    return display->to == &display->json ? log_output_start(&display->json, err)
                                         : 0;
}

static void draw_bar(struct progress_display *display,
                     const struct cw_progress *p)
{
    char text[sizeof(display->log->status)];
    unsigned columns;

    columns = progress_bar_format(&display->bar, p,
                                  terminal_columns(display->log->fd),
                                  display->colour, text, sizeof(text));
    log_output_status(display->log, text, columns);
}

/* Prints a log line at each phase, and periodically during a phase. */
static void print_plain(struct progress_display *display,
                        const struct cw_progress *p, bool is_new_phase)
{
    uint64_t now_ns = clock_now_ns();
    char text[256];

    if (!is_new_phase && now_ns - display->last_line_ns < PLAIN_PERIOD_NS)
        return;
    display->last_line_ns = now_ns;
    log_output_line(
        display->log, CW_LOG_INFO,
        progress_bar_format_plain(&display->bar, p, text, sizeof(text)));
}

static void print_json(struct progress_display *display,
                       const struct cw_progress *p)
{
    const struct progress_bar *bar = &display->bar;
    struct json json;
    char buf[1024];

    log_output_open_json(display->to, &json, buf, sizeof(buf));
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
    json_add_number(&json, "average_bytes_per_second", progress_bar_average(p));
    if (bar->eta_s == PROGRESS_BAR_NO_ETA)
        json_add_null(&json, "eta_seconds");
    else
        json_add_number(&json, "eta_seconds", bar->eta_s);
    json_add_number(&json, "lanes", p->lanes);
    if (p->pass > 0) {
        json_add_number(&json, "pass", p->pass);
        json_add_thousandths(&json, "cutover_seconds",
                             p->cutover_ns / CLOCK_MS_NS);
    }
    if (p->lost_ns > 0) {
        json_add_number(&json, "lost_seconds", p->lost_ns / CLOCK_SECOND_NS);
        json_add_number(&json, "retry_seconds", p->retry_ns / CLOCK_SECOND_NS);
    }
    log_output_json(display->to, &json);
}

void progress_display_update(struct progress_display *display,
                             const struct cw_progress *progress)
{
    bool is_new_phase;

    if (display->style == COMMON_OPTIONS_PROGRESS_NONE)
        return;
    pthread_mutex_lock(&display->lock);
    is_new_phase = !display->has_phase || display->phase != progress->phase;
    if (display->pass != progress->pass)
        display->bar = (struct progress_bar){ 0 };
    display->pass = progress->pass;
    display->phase = progress->phase;
    display->has_phase = true;
    progress_bar_update(&display->bar, progress);
    if (display->style == COMMON_OPTIONS_PROGRESS_BAR)
        draw_bar(display, progress);
    else if (display->style == COMMON_OPTIONS_PROGRESS_JSON)
        print_json(display, progress);
    else
        print_plain(display, progress, is_new_phase);
    pthread_mutex_unlock(&display->lock);
}

void progress_display_finish(struct progress_display *display)
{
    pthread_mutex_lock(&display->lock);
    log_output_end_status(display->log, display->phase == CW_PHASE_DONE);
    pthread_mutex_unlock(&display->lock);
    log_output_flush(display->to);
}
