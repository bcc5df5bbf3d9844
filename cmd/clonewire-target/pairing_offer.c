#include "clonewire-target/pairing_offer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "output/standard_streams.h"

#define MINUTE_NS (60 * CLOCK_SECOND_NS)

static void print_text(const struct pairing_offer *offer,
                       const char *const *addresses, unsigned count)
{
    uint64_t valid_ns = offer->valid_ns;
    bool in_minutes = valid_ns % MINUTE_NS == 0;

    printf("Run this on the machine that has the disk%s:\n\n",
           count > 1 ? ", with an address it can reach" : "");
    for (unsigned i = 0; i < count; i++)
        printf("    clonewire-source IMAGE %s@%s\n", offer->code, addresses[i]);
    printf("\nThe code is good for one clone that begins within %" PRIu64
           " %s.\n",
           valid_ns / (in_minutes ? MINUTE_NS : CLOCK_SECOND_NS),
           in_minutes ? "minutes" : "seconds");
}

static void print_json(const struct pairing_offer *offer, const char *address)
{
    char pasted[CW_PAIRING_CHARS + 96], buf[512];
    struct json json;

    snprintf(pasted, sizeof(pasted), "%s@%s", offer->code, address);
    log_output_open_json(&offer->process->log, &json, buf, sizeof(buf));
    json_add_text(&json, "event", "pairing");
    json_add_text(&json, "code", pasted);
    json_add_number(&json, "valid_seconds", offer->valid_ns / CLOCK_SECOND_NS);
    printf("%s\n", json_close(&json));
    explicit_bzero(pasted, sizeof(pasted));
    explicit_bzero(buf, sizeof(buf));
}

/* A new file in the place of an old one, so that no other user has it open. */
static int write_file(const struct pairing_offer *offer, const char *address)
{
    char text[CW_PAIRING_CHARS + 96];
    AUTO_FD int fd = -1;
    int r, n;

    if (unlink(offer->file) < 0 && errno != ENOENT)
        return -errno;
    fd = open(offer->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    n = snprintf(text, sizeof(text), "%s@%s\n", offer->code, address);
    r = standard_streams_write(fd, text, (size_t)n);
    explicit_bzero(text, sizeof(text));
    return r;
}

/* Never on stderr, which may be logged: the code is a secret. */
static int on_reachable(void *opaque, const char *const *addresses,
                        unsigned count)
{
    struct program *process = opaque;
    struct pairing_offer *offer = process->extra;
    int r;

    if (offer->file) {
        r = write_file(offer, addresses[0]);
    } else {
        if (process->log.is_json)
            for (unsigned i = 0; i < count; i++)
                print_json(offer, addresses[i]);
        else
            print_text(offer, addresses, count);
        r = standard_streams_flush(-1);
    }
    pairing_offer_wipe(offer);
    return r;
}

/* systemd names the device and inode of the socket to its journal. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDOUT_FILENO, &st) == 0 && st.st_dev == device &&
           st.st_ino == inode;
}

/* Is what goes to stdout kept where others read it? */
static bool is_log(void)
{
    return !isatty(STDOUT_FILENO) &&
           (getenv("KUBERNETES_SERVICE_HOST") || is_journal());
}

static int check_place(const struct target_config *config,
                       struct cw_error *error)
{
    if (config->code_file || !is_log())
        return 0;
    *error = (struct cw_error){
        .status = (int)ERROR_USAGE,
        .kind = error_kind_name(ERROR_USAGE),
        .hint = error_hint(ERROR_USAGE),
        .offset = UINT64_MAX,
    };
    snprintf(error->text, sizeof(error->text),
             "stdout is the log of a %s, where the pairing code would stay: "
             "give --code-file FILE (-: stdout all the same), certificates or "
             "a pre-shared key",
             is_journal() ? "service" : "pod");
    return -1;
}

static bool has_identity(const struct cw_security *security)
{
    return security->cert_file || security->key_file || security->ca_file ||
           security->psk_file;
}

int pairing_offer_make(struct pairing_offer *offer, struct program *process,
                       struct target_config *config, struct cw_error *error)
{
    struct cw_target_options *options = &config->options;
    const char *file = config->code_file;

    if (has_identity(&options->security))
        return 0;
    if (check_place(config, error) < 0 ||
        cw_pairing_make(offer->code, error) < 0)
        return -1;
    offer->process = process;
    offer->file = file && strcmp(file, "-") != 0 ? file : NULL;
    offer->valid_ns = options->pairing_valid_ns;
    process->extra = offer;
    options->security.pairing_code = offer->code;
    options->events.reachable = on_reachable;
    return 0;
}

void pairing_offer_wipe(struct pairing_offer *offer)
{
    explicit_bzero(offer->code, sizeof(offer->code));
}
