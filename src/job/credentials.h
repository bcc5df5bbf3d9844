/*
 * credentials.h - a pairing code as an identity: made by a target, read by both.
 *
 * The code is the only secret of the job.  It lives in memory only; its owner
 * wipes it with credentials_wipe() once TLS has a copy.
 */
#ifndef CW_JOB_CREDENTIALS_H
#define CW_JOB_CREDENTIALS_H

#include "base/error.h"
#include "tls/tls.h"
#include "wire/pairing.h"

struct credentials {
    struct pairing pairing;
    char identity[PAIRING_IDENT_CHARS];
    struct tls_key key; /* borrows from both */
};

/* Writes a new code to text.  Fails with ERROR_SYSTEM. */
int credentials_make(char text[PAIRING_CODE_CHARS], struct error *err);

/*
 * Parses text into code.  Fails with ERROR_USAGE; the error never contains any
 * part of the code.
 */
int credentials_read(const char *text, struct credentials *code,
                     struct error *err);

void credentials_wipe(struct credentials *code);

#endif
