/* Pairing codes as pasted: refused, or read and written back the same. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/pairing.h"

static void check_round_trip(const struct pairing *pairing)
{
    char code[PAIRING_CODE_CHARS], identity[PAIRING_IDENT_CHARS];
    struct pairing again;

    pairing_encode(pairing, code);
    assert(strlen(code) == PAIRING_CODE_CHARS - 1);
    assert(pairing_decode(code, strlen(code), &again) == PAIRING_OK);
    assert(memcmp(&again, pairing, sizeof(again)) == 0);
    assert(strlen(pairing_identity(pairing, identity)) ==
           PAIRING_IDENT_CHARS - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = calloc(1, len + 1);
    struct pairing pairing;
    enum pairing_result result;

    assert(text);
    if (len > 0)
        memcpy(text, data, len);
    result = pairing_decode(text, len, &pairing);
    assert(*pairing_result_text(result) != '\0');
    if (result == PAIRING_OK)
        check_round_trip(&pairing);
    if (len >= sizeof(pairing)) { /* any bytes make a code */
        memcpy(&pairing, data, sizeof(pairing));
        check_round_trip(&pairing);
    }
    free(text);
    return 0;
}
