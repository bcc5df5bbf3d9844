#include "job/public_types.h"

#include <stdio.h>

void public_error_fill(struct cw_error *out, const struct error *err)
{
    if (!out)
        return;
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

enum digest_algorithm public_digest(enum cw_digest digest)
{
    return digest == CW_DIGEST_SHA256 ? DIGEST_SHA256 : DIGEST_XXH3_128;
}
