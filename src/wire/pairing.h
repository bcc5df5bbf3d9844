/*
 * pairing.h - the pairing code that introduces a source to a target.  Pure.
 *
 *     cw1-<id: 8 characters><key: 52 characters><check: 4 characters>
 *
 * 40 bytes in base32, five bits a character: 5 bytes of id, 32 bytes of key,
 * and the first three bytes of their CRC-32C, which distinguishes a mistyped
 * code from a code of another target.
 *
 * The alphabet has no i, l, o and u: o reads as 0, and i and l read as 1, as
 * when a code is read aloud or copied from a photograph.  Case does not
 * matter.
 *
 * The id is public: it is the pre-shared key's identity in the handshake and
 * the name of the code in logs.  The key is a secret of 256 random bits.
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

/* Why a text is not a pairing code. */
enum pairing_result {
    PAIRING_OK,
    PAIRING_NO_PREFIX,     /* does not begin like a code */
    PAIRING_BAD_LENGTH,    /* incomplete or too long */
    PAIRING_BAD_CHARACTER, /* a character that is in no code */
    PAIRING_BAD_CHECK,     /* mistyped: the check does not match */
};

/* True if text looks like a pairing code, valid or not. */
bool pairing_looks_like(const char *text);

/* Writes the code and a terminating NUL. */
void pairing_encode(const struct pairing *pairing,
                    char code[PAIRING_CODE_CHARS]);

/* Decodes len characters of text, all of which must be the code. */
enum pairing_result pairing_decode(const char *text, size_t len,
                                   struct pairing *pairing);

/* The explanation for the user; static. */
const char *pairing_result_text(enum pairing_result result);

/* The public name of the code: its PSK identity in TLS.  Returns out. */
const char *pairing_identity(const struct pairing *pairing,
                             char out[PAIRING_IDENT_CHARS]);

#endif
