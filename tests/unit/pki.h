/*
 * pki.h - certificates of every kind, made when the test runs.
 *
 * A struct pki is a temporary directory; pki_make() puts NAME.crt and
 * NAME.key there.  Everything is EC P-256: an RSA key costs 0.1 s.
 */
#ifndef CW_TESTS_PKI_H
#define CW_TESTS_PKI_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "unit.h"

#define PKI_HOUR 3600

struct pki {
    char dir[64];
};

struct pki_spec {
    const char *name;   /* of the files */
    const char *cn;     /* NULL: none */
    const char *issuer; /* name of its files; NULL: signs itself */
    const char *san;    /* "DNS:a,IP:127.0.0.1" or NULL */
    const char *usage;  /* extended key usage or NULL */
    long from_s;        /* validity, from now */
    long until_s;
    bool is_ca;
};

/* A path in the directory; the last 16 stay valid. */
static inline const char *pki_path(const struct pki *pki, const char *name,
                                   const char *suffix)
{
    static char paths[16][128];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof(paths[0]), "%s/%s%s", pki->dir, name, suffix);
    return path;
}

static inline void pki_write(const struct pki *pki, const char *name,
                             const char *text)
{
    FILE *f = fopen(pki_path(pki, name, ""), "w");

    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline X509 *pki_load_cert(const char *path)
{
    FILE *f = fopen(path, "r");
    X509 *cert;

    assert_non_null(f);
    cert = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(cert);
    return cert;
}

static inline EVP_PKEY *pki_load_key(const char *path)
{
    FILE *f = fopen(path, "r");
    EVP_PKEY *key;

    assert_non_null(f);
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(key);
    return key;
}

static inline void pki_extend(X509 *cert, X509 *issuer, int nid,
                              const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static inline void pki_fill(X509 *cert, X509 *issuer,
                            const struct pki_spec *spec)
{
    static long serial;
    X509_NAME *subject = X509_get_subject_name(cert);

    assert_int_equal(X509_set_version(cert, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), spec->from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), spec->until_s);
    if (spec->cn)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)spec->cn, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    pki_extend(cert, issuer, NID_basic_constraints,
               spec->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (spec->san)
        pki_extend(cert, issuer, NID_subject_alt_name, spec->san);
    if (spec->usage)
        pki_extend(cert, issuer, NID_ext_key_usage, spec->usage);
}

static inline void pki_make(const struct pki *pki, const struct pki_spec *spec)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509 *issuer = spec->issuer
                       ? pki_load_cert(pki_path(pki, spec->issuer, ".crt"))
                       : NULL;
    EVP_PKEY *signer = spec->issuer
                           ? pki_load_key(pki_path(pki, spec->issuer, ".key"))
                           : NULL;
    FILE *f;

    assert_non_null(key);
    X509_set_pubkey(cert, key);
    pki_fill(cert, issuer ? issuer : cert, spec);
    assert_true(X509_sign(cert, signer ? signer : key, EVP_sha256()) > 0);

    f = fopen(pki_path(pki, spec->name, ".crt"), "w");
    assert_int_equal(PEM_write_X509(f, cert), 1);
    fclose(f);
    f = fopen(pki_path(pki, spec->name, ".key"), "w");
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL),
                     1);
    fclose(f);

    X509_free(issuer);
    EVP_PKEY_free(signer);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void pki_open(struct pki *pki)
{
    snprintf(pki->dir, sizeof(pki->dir), "/tmp/clonewire-pki-XXXXXX");
    assert_non_null(mkdtemp(pki->dir));
}

static inline void pki_close(const struct pki *pki)
{
    DIR *dir = opendir(pki->dir);
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    assert_int_equal(rmdir(pki->dir), 0);
}

/*
 * What most tests need: "ca" with "target" (DNS:localhost, 127.0.0.1, ::1)
 * and "source", and "other-ca" with "stranger".
 */
static inline void pki_make_usual(const struct pki *pki)
{
    static const struct pki_spec specs[] = {
        { .name = "ca", .cn = "test CA", .is_ca = true },
        { .name = "target",
          .cn = "the target",
          .issuer = "ca",
          .san = "DNS:localhost,IP:127.0.0.1,IP:::1",
          .usage = "serverAuth" },
        { .name = "source",
          .cn = "the source",
          .issuer = "ca",
          .usage = "clientAuth" },
        { .name = "other-ca", .cn = "other CA", .is_ca = true },
        { .name = "stranger",
          .cn = "stranger",
          .issuer = "other-ca",
          .san = "DNS:localhost,IP:127.0.0.1" },
    };

    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        struct pki_spec spec = specs[i];

        spec.from_s = -PKI_HOUR;
        spec.until_s = 24 * PKI_HOUR;
        pki_make(pki, &spec);
    }
}

#endif
