/* cert_name.c - matches and formats the names in a certificate. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "tls/tls_private.h"

enum {
    NAME_CHARS = 256
};

static void auto_names(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static GENERAL_NAMES *alt_names(const X509 *cert)
{
    return X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
}

static const ASN1_STRING *find_common_name(const X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return at < 0 ? NULL
                  : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

/* Returns false if the certificate has no CN. */
static bool common_name(const X509 *cert, char *out, size_t len)
{
    const ASN1_STRING *cn = find_common_name(cert);

    *out = '\0';
    if (!cn)
        return false;
    tls_printable(out, len, ASN1_STRING_get0_data(cn),
                  (size_t)ASN1_STRING_length(cn));
    return true;
}

/* Formats a SAN: "DNS:a" or "IP:10.0.0.1"; false for types we do not match. */
static bool show_alt_name(const GENERAL_NAME *name, const char **type,
                          char *out, size_t len)
{
    const ASN1_STRING *value;
    int bytes;

    switch (name->type) {
    case GEN_DNS:
        value = name->d.dNSName;
        *type = "DNS:";
        tls_printable(out, len, ASN1_STRING_get0_data(value),
                      (size_t)ASN1_STRING_length(value));
        return true;
    case GEN_IPADD:
        value = name->d.iPAddress;
        *type = "IP:";
        bytes = ASN1_STRING_length(value);
        return (bytes == 4 || bytes == 16) &&
               inet_ntop(bytes == 4 ? AF_INET : AF_INET6,
                         ASN1_STRING_get0_data(value), out, (socklen_t)len);
    default: return false; /* e-mail, URI, ... */
    }
}

static bool has_alt_name_of(const X509 *cert, int type)
{
    AUTO(auto_names) GENERAL_NAMES *names = alt_names(cert);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (sk_GENERAL_NAME_value(names, i)->type == type)
            return true;
    return false;
}

static bool is_ip(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, address) == 1 ||
           inet_pton(AF_INET6, name, address) == 1;
}

bool tls_name_matches(X509 *cert, const char *name)
{
    char cn[NAME_CHARS];

    if (!is_ip(name)) /* OpenSSL falls back to the CN by itself */
        return X509_check_host(cert, name, 0,
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    if (X509_check_ip_asc(cert, name, 0) == 1)
        return true;
    return !has_alt_name_of(cert, GEN_IPADD) &&
           common_name(cert, cn, sizeof(cn)) && strcmp(cn, name) == 0;
}

bool tls_client_matches(X509 *cert, const char *name)
{
    const ASN1_STRING *cn = find_common_name(cert);

    return (cn && (size_t)ASN1_STRING_length(cn) == strlen(name) &&
            memcmp(ASN1_STRING_get0_data(cn), name, strlen(name)) == 0) ||
           tls_name_matches(cert, name);
}

/* Appends ", <type><name>"; a list that is too long ends in "...". */
static void append(char *out, size_t len, const char *type, const char *name)
{
    size_t used = strlen(out);
    int n = snprintf(out + used, len - used, "%s%s%s", used ? ", " : "", type,
                     name);

    if (n >= 0 && (size_t)n >= len - used && len > 4)
        memcpy(out + len - 4, "...", 4);
}

void tls_name_list(X509 *cert, char *out, size_t len)
{
    AUTO(auto_names) GENERAL_NAMES *names = alt_names(cert);
    char name[NAME_CHARS];
    const char *type;

    *out = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (show_alt_name(sk_GENERAL_NAME_value(names, i), &type, name,
                          sizeof(name)))
            append(out, len, type, name);
    if (common_name(cert, name, sizeof(name)))
        append(out, len, "CN=", name);
    if (*out == '\0')
        snprintf(out, len, "%s", "no name");
}

void tls_name_show(X509 *cert, char *out, size_t len)
{
    AUTO(auto_names) GENERAL_NAMES *names = NULL;
    const char *type;

    if (common_name(cert, out, len))
        return;
    names = alt_names(cert);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (show_alt_name(sk_GENERAL_NAME_value(names, i), &type, out, len))
            return;
    snprintf(out, len, "%s", "no name");
}
