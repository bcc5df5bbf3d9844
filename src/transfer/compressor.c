#include "transfer/compressor.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "plan/chunk_grid.h"
#include "wire/message.h"

/* Data that compresses by less than a sixteenth is sent as it is. */
#define SAVED_PART 16U

uint32_t compressor_offer(enum cw_compress wish)
{
    return wish == CW_COMPRESS_OFF ? 0 : MESSAGE_CODEC_ZSTD;
}

int compressor_agree(enum cw_compress wish, uint32_t codecs, struct error *err)
{
    if ((codecs & ~compressor_offer(wish)) != 0)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "target wants data compressed in a way that was not "
                         "offered, %#" PRIx32,
                         codecs);
    if (codecs == 0 && wish == CW_COMPRESS_ZSTD)
        return error_set(
            err, ERROR_USAGE, 0,
            "--compress=zstd, but the target takes no compressed "
            "data: it was configured not to, or is too old; auto goes "
            "without");
    return 0;
}

static enum compress_mode wish_of(enum cw_compress wish, uint32_t codecs)
{
    if ((codecs & MESSAGE_CODEC_ZSTD) == 0)
        return COMPRESS_OFF;
    return wish == CW_COMPRESS_ZSTD ? COMPRESS_ALWAYS : COMPRESS_AUTO;
}

void compressor_open(struct compressor *c, enum cw_compress wish,
                     uint32_t codecs)
{
    *c = (struct compressor){ .decision.wish = wish_of(wish, codecs) };
}

void compressor_close(struct compressor *c)
{
    zstd_packer_close(c->zstd);
    free(c->room);
    *c = (struct compressor){ .decision.wish = COMPRESS_OFF };
}

/* Allocates memory on first use: on a fast link, never. */
static bool open_packer(struct compressor *c)
{
    if (c->room)
        return true;
    c->zstd = zstd_packer_open();
    c->room = malloc(COMPRESSOR_HEADROOM_BYTES + CHUNK_BYTES);
    if (c->zstd && c->room)
        return true;
    log_warn("no memory to compress with: sending without");
    compressor_close(c);
    return false;
}

static size_t pack(struct compressor *c, const uint8_t *plain, size_t len)
{
    uint64_t start_ns = clock_now_ns();
    size_t packed = zstd_pack(c->zstd, plain, len,
                              c->room + COMPRESSOR_HEADROOM_BYTES,
                              len - len / SAVED_PART);

    c->pack_ns += clock_now_ns() - start_ns;
    return packed;
}

bool compressor_is_packing(const struct compressor *packing)
{
    return compress_policy_wanted(&packing->decision);
}

uint8_t *compressor_pack(struct compressor *c, struct frame *frame,
                         uint8_t *plain)
{
    size_t len = (size_t)frame->length, packed = 0;

    if (compress_policy_wanted(&c->decision) && open_packer(c))
        packed = pack(c, plain, len);
    c->plain_bytes += len;
    c->sent_bytes += packed > 0 ? packed : len;
    if (packed == 0 || packed >= len)
        return plain;
    frame->type = FRAME_ZSTD;
    frame->packed_bytes = (uint32_t)packed;
    return c->room + COMPRESSOR_HEADROOM_BYTES;
}

/* Logs at info level once per lane: an unsteady link must not fill the log. */
static void log_change(struct compressor *c)
{
    char rate[32];

    format_bytes(rate, sizeof(rate), c->decision.raw_rate);
    if (c->decision.is_packing && !c->has_logged)
        log_info("compressing, as the network takes only %s/s", rate);
    else
        log_debug("%s: the network took %s/s without",
                  c->decision.is_packing ? "compressing" : "not compressing",
                  rate);
    c->has_logged = true;
}

void compressor_note(struct compressor *c, uint64_t start_ns, uint64_t now_ns,
                     uint64_t wait_ns, bool target_at_disk)
{
    struct compress_policy_sent sent = {
        .now_ns = now_ns,
        .plain_bytes = c->plain_bytes,
        .sent_bytes = c->sent_bytes,
        .pack_ns = c->pack_ns,
        .send_ns = now_ns - start_ns,
        .wait_ns = wait_ns,
        .target_at_disk = target_at_disk,
    };

    c->plain_bytes = c->sent_bytes = c->pack_ns = 0;
    if (compress_policy_note(&c->decision, &sent))
        log_change(c);
}
