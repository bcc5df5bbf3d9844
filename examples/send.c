/*
 * send IMAGE CODE@HOST:PORT: sends a disk to the receive that printed this
 * code.  A code on a command line is for an example; other users can see it.
 */
#include <clonewire/clonewire.h>
#include <stdio.h>
#include <string.h>

static void print_log(void *opaque, enum cw_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    fprintf(stderr, "send: %s\n", line);
}

int main(int argc, char **argv)
{
    struct cw_source_options options = { 0 };
    struct cw_summary summary;
    struct cw_error error;
    struct cw_job *job;
    char *at;
    int result = -1;

    at = argc == 3 ? strchr(argv[2], '@') : NULL;
    if (!at) {
        fprintf(stderr, "usage: send IMAGE CODE@HOST:PORT\n");
        return 2;
    }
    *at = '\0';
    options.image = argv[1];
    options.target = at + 1;
    options.security.pairing_code = argv[2];
    options.events.log = print_log;
    options.events.log_level = CW_LOG_WARN;
    job = cw_source_open(&options, &error);
    if (job)
        result = cw_run(job, &summary, &error);
    if (result < 0)
        fprintf(stderr, "send: %s\n", error.text);
    else
        printf("equal and durable: %s\n", summary.digest);
    cw_close(job);
    return result < 0 ? error.status : 0;
}
