#include "clonewire-target/pairing_offer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* Never on stderr, which may be logged: the code is a secret. */
static int on_reachable(void *opaque, const char *const *addresses,
                        unsigned count)
{
    struct program *process = opaque;
    struct pairing_offer *offer = process->extra;
    int r;

    if (process->log.is_json)
        for (unsigned i = 0; i < count; i++)
            print_json(offer, addresses[i]);
    else
        print_text(offer, addresses, count);
    r = standard_streams_flush(-1);
    pairing_offer_wipe(offer);
    return r;
}

static bool has_identity(const struct cw_security *security)
{
    return security->cert_file || security->key_file || security->ca_file ||
           security->psk_file;
}

int pairing_offer_make(struct pairing_offer *offer, struct program *process,
                       struct cw_target_options *options,
                       struct cw_error *error)
{
    if (has_identity(&options->security))
        return 0;
    if (cw_pairing_make(offer->code, error) < 0)
        return -1;
    offer->process = process;
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
