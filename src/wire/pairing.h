/*
 * pairing.h - the code that introduces a source to a target.  Pure.
 *
 *     cw1-<id: 8 characters><key: 52 characters><check: 4 characters>
 *
 * 40 bytes in base32, five bits a character: 5 bytes that name the code, 32
 * bytes of key, and the first three of their CRC-32C, so that a code with a
 * slip of the hand is told from a code that another target made.
 *
 * The alphabet has no i, l, o and u: read aloud or copied from a photograph,
 * o is 0, and i and l are 1.  Case does not matter.
 *
 * The id is public: it is the pre-shared key's identity in the handshake,
 * and what logs call the code.  The key is a secret of 256 random bits.
 */
#ifndef CW_WIRE_PAIRING_H
#define CW_WIRE_PAIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAIRING_PREFIX      "cw1-"
#define PAIRING_ID_BYTES    5U
#define PAIRING_KEY_BYTES   32U
#define PAIRING_DIGITS      64U /* in base32 */
#define PAIRING_CODE_CHARS  (sizeof(PAIRING_PREFIX) + PAIRING_DIGITS)
#define PAIRING_IDENT_CHARS 24U /* "clonewire-pair-" and the id */

struct pairing {
    uint8_t id[PAIRING_ID_BYTES];
    uint8_t key[PAIRING_KEY_BYTES];
};

/* Why a text is no code. */
enum pairing_result {
    PAIRING_OK,
    PAIRING_NO_PREFIX,     /* does not begin as a code does */
    PAIRING_BAD_LENGTH,    /* part of it is missing, or there is more */
    PAIRING_BAD_CHARACTER, /* one that is in no code */
    PAIRING_BAD_CHECK,     /* mistyped: the check does not fit */
};

/* Is this meant as a code, whether or not it is a good one? */
bool pairing_looks_like(const char *text);

/* Writes the code with a NUL behind it. */
void pairing_encode(const struct pairing *pairing,
                    char code[PAIRING_CODE_CHARS]);

/* Reads len characters of text, all of which must be the code. */
enum pairing_result pairing_decode(const char *text, size_t len,
                                   struct pairing *pairing);

/* What to tell who gave it; static. */
const char *pairing_result_text(enum pairing_result result);

/* The public name of the code: the key's identity in TLS.  Returns out. */
const char *pairing_identity(const struct pairing *pairing,
                             char out[PAIRING_IDENT_CHARS]);

#endif
