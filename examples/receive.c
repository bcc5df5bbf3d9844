/*
 * receive DEST [HOST:PORT]: waits for one disk, and writes it to DEST.  The
 * line on standard output is the code that send needs.
 */
#include <clonewire/clonewire.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

static struct cw_job *job;

/* SIGINT: both sides end, and a later clone resumes this one. */
static void on_signal(int signo)
{
    (void)signo;
    cw_stop(job);
}

static int print_code(void *code, const char *const *addresses, unsigned count)
{
    if (count == 0)
        return -EADDRNOTAVAIL;
    printf("%s@%s\n", (const char *)code, addresses[0]);
    return fflush(stdout) == 0 ? 0 : -EIO;
}

/* On a thread of the library: show it and return. */
static void show_progress(void *opaque, const struct cw_progress *progress)
{
    uint64_t total = progress->total_bytes ? progress->total_bytes : 1;

    (void)opaque;
    fprintf(stderr, "\r%-10s %3u %%", cw_phase_name(progress->phase),
            (unsigned)(100 * progress->handled_bytes / total));
}

int main(int argc, char **argv)
{
    char code[CW_PAIRING_CHARS];
    struct cw_target_options options = { 0 };
    struct cw_summary summary;
    struct cw_error error;
    int result = -1;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: receive DEST [HOST:PORT]\n");
        return 2;
    }
    if (cw_pairing_make(code, &error) < 0)
        goto out;
    options.destination = argv[1];
    options.listen = argc == 3 ? argv[2] : ":0";
    options.security.pairing_code = code;
    options.events.opaque = code;
    options.events.reachable = print_code;
    options.events.progress = show_progress;
    job = cw_target_open(&options, &error);
    if (!job)
        goto out;
    signal(SIGINT, on_signal);
    result = cw_run(job, &summary, &error);
    signal(SIGINT, SIG_DFL);
    cw_close(job);
out:
    if (result < 0) {
        fprintf(stderr, "\nreceive: %s\n", error.text);
        return error.status;
    }
    fprintf(stderr, "\nequal and durable: %s\n", summary.digest);
    return 0;
}
