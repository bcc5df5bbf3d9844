#include "job/credentials.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int credentials_make(char text[PAIRING_CODE_CHARS], struct error *err)
{
    struct pairing pairing;

    /* Up to 256 bytes come whole and uninterrupted, see getrandom(2). */
    if (getrandom(&pairing, sizeof(pairing), 0) != (ssize_t)sizeof(pairing))
        return error_set(err, ERROR_SYSTEM, errno, "make a pairing code");
    pairing_encode(&pairing, text);
    explicit_bzero(&pairing, sizeof(pairing));
    return 0;
}

int credentials_read(const char *text, struct credentials *code,
                     struct error *err)
{
    enum pairing_result result = pairing_decode(text, strlen(text),
                                                &code->pairing);

    if (result != PAIRING_OK)
        return error_set(err, ERROR_USAGE, 0, "the pairing code %s",
                         pairing_result_text(result));
    pairing_identity(&code->pairing, code->identity);
    code->key = (struct tls_key){ code->identity, code->pairing.key };
    return 0;
}

void credentials_wipe(struct credentials *code)
{
    explicit_bzero(code, sizeof(*code));
}
