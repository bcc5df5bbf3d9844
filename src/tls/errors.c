/*
 * errors.c - explains OpenSSL's errors and the peer's alerts.
 *
 * An administrator at either end should see from one line which file to
 * replace, so every sentence says whose certificate or key it is about.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "tls/tls_private.h"

enum {
    SUBJECT_CHARS = 160
};

static const char *code_text(unsigned long code)
{
    const char *text = ERR_SYSTEM_ERROR(code)
                           ? strerrordesc_np(ERR_GET_REASON(code))
                           : ERR_reason_error_string(code);

    return text ? text : "unknown error";
}

const char *tls_reason_text(void)
{
    const char *text = code_text(ERR_peek_last_error());

    ERR_clear_error();
    return text;
}

const char *tls_reason_time(const ASN1_TIME *time, char *out, size_t len)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 ||
        strftime(out, len, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(out, len, "%s", "an unreadable date");
    return out;
}

void tls_reason_subject(const X509_NAME *name, char *out, size_t len)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;

    *out = '\0';
    if (!bio)
        return;
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
    n = BIO_get_mem_data(bio, &text);
    if (n > 0)
        tls_printable(out, len, text, (size_t)n);
    BIO_free(bio);
}

/* ---- what is wrong with the peer's certificate ---- */

static void refuse_dates(struct tls_peer *peer, X509 *cert, int depth,
                         bool is_expired)
{
    const char *word = tls_peer_word(peer->tls);
    const ASN1_TIME *limit = is_expired ? X509_get0_notAfter(cert)
                                        : X509_get0_notBefore(cert);
    char when[TLS_TIME_CHARS], subject[SUBJECT_CHARS], whose[256];

    tls_reason_time(limit, when, sizeof(when));
    tls_reason_subject(X509_get_subject_name(cert), subject, sizeof(subject));
    if (depth == 0)
        snprintf(whose, sizeof(whose), "certificate of the %s", word);
    else
        snprintf(whose, sizeof(whose), "CA certificate %s, issuer of the %s's,",
                 subject, word);
    snprintf(peer->refusal, sizeof(peer->refusal),
             is_expired ? "%s expired on %s"
                        : "%s is not valid before %s (is a clock wrong?)",
             whose, when);
}

static void refuse_issuer(struct tls_peer *peer, X509 *cert)
{
    char issuer[SUBJECT_CHARS];

    tls_reason_subject(X509_get_issuer_name(cert), issuer, sizeof(issuer));
    snprintf(peer->refusal, sizeof(peer->refusal),
             "certificate of the %s is not from a CA we trust: its issuer is "
             "%s",
             tls_peer_word(peer->tls), issuer);
}

static void refuse(struct tls_peer *peer, X509_STORE_CTX *store)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    int depth = X509_STORE_CTX_get_error_depth(store);
    int reason = X509_STORE_CTX_get_error(store);
    const char *word = tls_peer_word(peer->tls);

    switch (reason) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        refuse_dates(peer, cert, depth, true);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        refuse_dates(peer, cert, depth, false);
        return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        refuse_issuer(peer, cert);
        return;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        snprintf(peer->refusal, sizeof(peer->refusal),
                 "certificate of the %s was signed by another CA of the same "
                 "name as ours",
                 word);
        return;
    case X509_V_ERR_INVALID_PURPOSE:
        snprintf(peer->refusal, sizeof(peer->refusal),
                 "extended key usage in the certificate of the %s does not "
                 "allow a TLS %s",
                 word, peer->tls->is_server ? "client" : "server");
        return;
    default:
        snprintf(peer->refusal, sizeof(peer->refusal),
                 "certificate of the %s does not verify: %s", word,
                 X509_verify_cert_error_string(reason));
    }
}

int tls_reason_verify(int is_ok, X509_STORE_CTX *store)
{
    int index = SSL_get_ex_data_X509_STORE_CTX_idx();
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, index);
    struct tls_peer *peer = SSL_get_app_data(ssl);

    if (is_ok || peer->refusal[0] != '\0')
        return is_ok;
    if (peer->tls->psk)
        snprintf(peer->refusal, sizeof(peer->refusal),
                 "the %s uses a certificate, we a pre-shared key",
                 tls_peer_word(peer->tls));
    else
        refuse(peer, store);
    return 0;
}

/* ---- alerts: what the peer did not like about us ---- */

static int refused_dates(const struct tls_peer *peer, bool is_expired,
                         struct error *err)
{
    const X509 *own = SSL_CTX_get0_certificate(peer->tls->ctx);
    char from[TLS_TIME_CHARS], until[TLS_TIME_CHARS];

    tls_reason_time(X509_get0_notBefore(own), from, sizeof(from));
    tls_reason_time(X509_get0_notAfter(own), until, sizeof(until));
    if (is_expired)
        return error_set(err, ERROR_TLS, 0,
                         "the %s refused our certificate: it has expired "
                         "(ours is valid until %s)",
                         tls_peer_word(peer->tls), until);
    return error_set(err, ERROR_TLS, 0,
                     "the %s refused our certificate: it is not valid there "
                     "(ours is valid from %s until %s)",
                     tls_peer_word(peer->tls), from, until);
}

static int refused_issuer(const struct tls_peer *peer, struct error *err)
{
    const X509 *own = SSL_CTX_get0_certificate(peer->tls->ctx);
    char issuer[SUBJECT_CHARS];

    tls_reason_subject(X509_get_issuer_name(own), issuer, sizeof(issuer));
    return error_set(err, ERROR_TLS, 0,
                     "the %s refused our certificate: it does not trust its "
                     "issuer %s",
                     tls_peer_word(peer->tls), issuer);
}

/* Returns true if err now describes an alert about our certificate. */
static bool explain_certificate_alert(const struct tls_peer *peer, int alert,
                                      struct error *err)
{
    const char *why;

    if (!SSL_CTX_get0_certificate(peer->tls->ctx))
        return false;
    switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
        refused_dates(peer, true, err);
        return true;
    case SSL_AD_BAD_CERTIFICATE: refused_dates(peer, false, err); return true;
    case SSL_AD_UNKNOWN_CA: refused_issuer(peer, err); return true;
    case SSL_AD_DECRYPT_ERROR:
        why = "the CA that it trusts by that name did not sign it";
        break;
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
        why = peer->tls->is_server
                  ? "its extended key usage does not allow a TLS server"
                  : "its extended key usage does not allow a TLS client";
        break;
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_ACCESS_DENIED: why = SSL_alert_desc_string_long(alert); break;
    default: return false;
    }
    error_set(err, ERROR_TLS, 0, "the %s refused our certificate: %s",
              tls_peer_word(peer->tls), why);
    return true;
}

/* What follows a text. */
enum detail {
    DETAIL_NONE,
    DETAIL_IDENTITY, /* of the pre-shared key */
    DETAIL_VERSIONS, /* of TLS that we allow */
};

/* An alert or a reason, explained as "the source TEXT". */
struct explanation {
    int code;
    enum detail detail;
    const char *text;
};

#define OTHER_KEY   "holds another key for identity"
#define UNKNOWN_KEY "does not know our pre-shared key identity"
#define NO_KEY      "uses certificates, we a pre-shared key"
#define NO_VERSION  "speaks no TLS version that we allow"
#define NO_ALPN     "does not speak " TLS_ALPN

static const struct explanation psk_alerts[] = {
    { SSL_AD_ILLEGAL_PARAMETER, DETAIL_IDENTITY, OTHER_KEY },
    { SSL_AD_DECRYPT_ERROR, DETAIL_IDENTITY, OTHER_KEY },
    { SSL_AD_HANDSHAKE_FAILURE, DETAIL_IDENTITY, UNKNOWN_KEY },
    { SSL_AD_UNKNOWN_PSK_IDENTITY, DETAIL_IDENTITY, UNKNOWN_KEY },
    { SSL_AD_UNKNOWN_CA, DETAIL_NONE, NO_KEY },
    { SSL_AD_BAD_CERTIFICATE, DETAIL_NONE, NO_KEY },
    { SSL_AD_CERTIFICATE_REQUIRED, DETAIL_NONE, NO_KEY },
    { 0 },
};

static const struct explanation alerts[] = {
    { SSL_AD_CERTIFICATE_REQUIRED, DETAIL_NONE,
      "wants a certificate and we sent none" },
    { SSL_AD_NO_APPLICATION_PROTOCOL, DETAIL_NONE, NO_ALPN },
    { SSL_AD_PROTOCOL_VERSION, DETAIL_VERSIONS, NO_VERSION },
    { SSL_AD_HANDSHAKE_FAILURE, DETAIL_NONE,
      "has no cipher, signature or kind of identity in common with us (we use "
      "a certificate; it may want a pre-shared key)" },
    { 0 },
};

static const struct explanation reasons[] = {
    { SSL_R_HTTP_REQUEST, DETAIL_NONE, "sent plain text, not TLS" },
    { SSL_R_HTTPS_PROXY_REQUEST, DETAIL_NONE, "sent plain text, not TLS" },
    { SSL_R_WRONG_VERSION_NUMBER, DETAIL_NONE, "sent plain text, not TLS" },
    { SSL_R_PACKET_LENGTH_TOO_LONG, DETAIL_NONE, "sent plain text, not TLS" },
    { SSL_R_RECORD_LENGTH_MISMATCH, DETAIL_NONE, "sent plain text, not TLS" },
    { SSL_R_UNSUPPORTED_PROTOCOL, DETAIL_VERSIONS, NO_VERSION },
    { SSL_R_VERSION_TOO_LOW, DETAIL_VERSIONS, NO_VERSION },
    { SSL_R_NO_PROTOCOLS_AVAILABLE, DETAIL_VERSIONS, NO_VERSION },
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, DETAIL_NONE,
      "sent no certificate" },
    { SSL_R_NO_APPLICATION_PROTOCOL, DETAIL_NONE, NO_ALPN },
    { SSL_R_BINDER_DOES_NOT_VERIFY, DETAIL_IDENTITY, OTHER_KEY },
    { SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, DETAIL_NONE,
      "sent data that was changed on the way (bad record MAC)" },
    { 0 },
};

/* Returns true if err now holds the explanation of code. */
static bool explain_by_table(const struct explanation *table, int code,
                             const struct tls_peer *peer, struct error *err)
{
    const char *word = tls_peer_word(peer->tls);

    while (table->text && table->code != code)
        table++;
    if (!table->text)
        return false;
    switch (table->detail) {
    case DETAIL_NONE:
        error_set(err, ERROR_TLS, 0, "the %s %s", word, table->text);
        break;
    case DETAIL_IDENTITY:
        error_set(err, ERROR_TLS, 0, "the %s %s \"%s\"", word, table->text,
                  peer->psk_identity);
        break;
    case DETAIL_VERSIONS:
        error_set(err, ERROR_TLS, 0, "the %s %s (%s)", word, table->text,
                  peer->tls->allow_tls12 ? "1.2 and 1.3" : "1.3 only");
        break;
    }
    return true;
}

static void explain_alert(const struct tls_peer *peer, int alert,
                          bool is_established, struct error *err)
{
    const char *word = tls_peer_word(peer->tls);
    /* Only a client offers a pre-shared key, so only it is refused for one. */
    bool offers_key = peer->tls->psk && !peer->tls->is_server;

    if (explain_certificate_alert(peer, alert, err) ||
        (offers_key && explain_by_table(psk_alerts, alert, peer, err)) ||
        explain_by_table(alerts, alert, peer, err))
        return;
    /* OpenSSL sends this alert for a stream that ends without close_notify. */
    if (alert == SSL_AD_DECODE_ERROR && is_established)
        error_set(err, ERROR_TEMPORARY, 0,
                  "connection lost: the %s saw it end in mid-stream", word);
    else
        error_set(err, ERROR_TLS, 0, "the %s ended the TLS session: alert %s",
                  word, SSL_alert_desc_string_long(alert));
}

/* ---- reasons: what we did not like about the peer ---- */

static void explain_nothing_in_common(const struct tls_peer *peer,
                                      struct error *err)
{
    const char *word = tls_peer_word(peer->tls);

    if (peer->is_psk_unknown)
        error_set(err, ERROR_TLS, 0,
                  "pre-shared key identity \"%s\" of the %s is unknown",
                  peer->psk_identity, word);
    else if (peer->tls->psk)
        error_set(err, ERROR_TLS, 0,
                  "the %s offers no pre-shared key (it may use a certificate)",
                  word);
    else
        error_set(err, ERROR_TLS, 0,
                  "the %s has no cipher or signature in common with us", word);
}

bool tls_reason_is_version(void)
{
    unsigned long code = ERR_peek_error();

    if (ERR_GET_LIB(code) != ERR_LIB_SSL)
        return false;
    switch (ERR_GET_REASON(code)) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return true;
    default: return false;
    }
}

/* Returns false for a reason that we cannot explain better than OpenSSL. */
static bool explain_reason(const struct tls_peer *peer, int reason,
                           struct error *err)
{
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        error_set(err, ERROR_TLS, 0, "%s",
                  peer->refusal[0] != '\0' ? peer->refusal
                                           : "certificate does not verify");
        return true;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
        explain_nothing_in_common(peer, err);
        return true;
    default: return explain_by_table(reasons, reason, peer, err);
    }
}

/* Returns the first code that TLS itself queued, or 0; the codes under it come
 * from ciphers and parsers, and their texts do not help a user. */
static unsigned long pop_tls_code(unsigned long *first)
{
    unsigned long code;

    *first = ERR_peek_error();
    while ((code = ERR_get_error()) != 0)
        if (ERR_GET_LIB(code) == ERR_LIB_SSL)
            break;
    return code;
}

bool tls_reason_explain(const struct tls_peer *peer, bool is_established,
                        struct error *err)
{
    unsigned long first;
    unsigned long code = pop_tls_code(&first);
    int reason = ERR_GET_REASON(code);

    ERR_clear_error();
    if (first == 0 ||
        (code != 0 && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING))
        return false;
    if (code != 0 && reason >= SSL_AD_REASON_OFFSET &&
        reason < SSL_AD_REASON_OFFSET + 256)
        explain_alert(peer, reason - SSL_AD_REASON_OFFSET, is_established, err);
    else if (code == 0 || !explain_reason(peer, reason, err))
        error_set(err, ERROR_TLS, 0, "TLS with the %s failed: %s",
                  tls_peer_word(peer->tls),
                  code_text(code != 0 ? code : first));
    return true;
}
