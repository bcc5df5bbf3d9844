#include "job/public_types.h"

#include <stdio.h>

void public_error_fill(struct cw_error *out, const struct error *err)
{
    *out = (struct cw_error){
        .status = (int)err->kind,
        .kind = error_kind_name(err->kind),
        .hint = error_hint(err->kind),
        .errnum = err->errnum,
        .offset = err->offset,
        .retryable = error_is_retryable(err->kind),
        .from_peer = err->from_peer,
        .space = {
            .need_bytes = err->space.need_bytes,
            .have_bytes = err->space.have_bytes,
            .usable_bytes = err->space.usable_bytes,
            .shortfall_bytes = err->space.shortfall_bytes,
            .volume_bytes = err->space.volume_bytes,
        },
    };
    snprintf(out->text, sizeof(out->text), "%s", err->text);
}

#define SAME(outer, inner) \
    _Static_assert((int)(outer) == (int)(inner), #outer " is " #inner)

SAME(CW_IO_MODE_AUTO, FILE_MODE_AUTO);
SAME(CW_IO_MODE_DIRECT, FILE_MODE_DIRECT);
SAME(CW_IO_MODE_DONTCACHE, FILE_MODE_DONTCACHE);
SAME(CW_IO_MODE_BUFFERED, FILE_MODE_BUFFERED);

enum file_mode public_file_mode(const struct cw_tuning *tuning)
{
    return (enum file_mode)tuning->io_mode;
}

SAME(CW_HOLES_AUTO, HOLE_POLICY_AUTO);
SAME(CW_HOLES_TRUST, HOLE_POLICY_TRUST);
SAME(CW_HOLES_SCAN, HOLE_POLICY_SCAN);

enum hole_policy public_hole_policy(const struct cw_tuning *tuning)
{
    return (enum hole_policy)tuning->holes;
}

SAME(CW_IO_ENGINE_AUTO, IO_ENGINE_AUTO);
SAME(CW_IO_ENGINE_URING, IO_ENGINE_URING);
SAME(CW_IO_ENGINE_THREADS, IO_ENGINE_THREADS);

enum io_engine public_io_engine(enum cw_io_engine engine)
{
    return (enum io_engine)engine;
}

SAME(CW_LOG_ERROR, LOG_LEVEL_ERROR);
SAME(CW_LOG_WARN, LOG_LEVEL_WARN);
SAME(CW_LOG_INFO, LOG_LEVEL_INFO);
SAME(CW_LOG_DEBUG, LOG_LEVEL_DEBUG);

enum log_level public_log_level(enum cw_log_level level)
{
    return (enum log_level)level;
}

enum cw_log_level public_from_log_level(enum log_level level)
{
    return (enum cw_log_level)level;
}

enum digest_algorithm public_digest(enum cw_digest digest)
{
    return digest == CW_DIGEST_SHA256 ? DIGEST_SHA256 : DIGEST_XXH3_128;
}
