/*
 * credentials.h - a pairing code as an identity: made by a target, read by both.
 *
 * The code is the whole secret of the job.  It lives in memory only, and
 * whoever holds one wipes it with credentials_wipe() when TLS has its copy.
 */
#ifndef CW_JOB_CREDENTIALS_H
#define CW_JOB_CREDENTIALS_H

#include "base/error.h"
#include "tls/tls.h"
#include "wire/pairing.h"

/* So many wrong codes end a target: somebody is guessing, or is lost. */
#define CREDENTIALS_TRIES 5U

struct credentials {
    struct pairing pairing;
    char identity[PAIRING_IDENT_CHARS];
    struct tls_key key; /* borrows from both */
};

/* A new one, written to text.  Fails with ERROR_SYSTEM. */
int credentials_make(char text[PAIRING_CODE_CHARS], struct error *err);

/*
 * Reads text into code.  Fails with ERROR_USAGE, and without a word of the
 * code in the error.
 */
int credentials_read(const char *text, struct credentials *code,
                     struct error *err);

void credentials_wipe(struct credentials *code);

#endif
