// System OpenSSL. Function-like macros become functions here.
#pragma once
// CRAM-MD5 keeps the state of MD5 between two blocks, which only the old functions give.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline long cossl_ctx_set_min_proto(SSL_CTX *c, int v) { return SSL_CTX_set_min_proto_version(c, v); }
static inline long cossl_ctx_set_session_cache_mode(SSL_CTX *c, long m) { return SSL_CTX_set_session_cache_mode(c, m); }
static inline long cossl_set_sni(SSL *s, const char *n) { return SSL_set_tlsext_host_name(s, n); }

// Certificates: stacks and EVP macros.
static inline EVP_PKEY *cossl_generate_p256(void) { return EVP_EC_gen("P-256"); }
static inline int cossl_add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension) return 0;
    int done = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}
// A name as RFC 4514 text; characters beyond ASCII stay UTF-8.
static inline int cossl_print_name(BIO *out, const X509_NAME *name) {
    return X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}
// The alternative names of a certificate, `DNS:…` or `IP Address:…`, one a line.
static inline void cossl_print_alternative_names(BIO *out, X509 *certificate) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (!names) return;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME_print(out, sk_GENERAL_NAME_value(names, i));
        BIO_write(out, "\n", 1);
    }
    GENERAL_NAMES_free(names);
}
static inline long cossl_bio_memory(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

// What both sides of TLS are set to: no renegotiation, no compression, buffers given back while a connection is idle,
// writes that may come again from another address.
static inline void cossl_ctx_harden(SSL_CTX *c) {
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_dh_auto(c, 1);
}
static inline void cossl_bio_clear_retry(BIO *b) { BIO_clear_retry_flags(b); }
static inline void cossl_bio_retry_read(BIO *b) { BIO_set_retry_read(b); }

// What is known of HMAC-MD5 before the first octet of a message: MD5 after one block of 64 octets (RFC 2104 §4).
static inline void cossl_md5_begin(const unsigned char *block, unsigned int state[4]) {
    MD5_CTX c;
    MD5_Init(&c);
    MD5_Update(&c, block, 64);
    state[0] = c.A, state[1] = c.B, state[2] = c.C, state[3] = c.D;
    OPENSSL_cleanse(&c, sizeof c);
}
static inline void cossl_md5_end(const unsigned int state[4], const void *octets, size_t count, unsigned char *out) {
    MD5_CTX c;
    MD5_Init(&c);
    c.A = state[0], c.B = state[1], c.C = state[2], c.D = state[3];
    c.Nl = 512;  // bits of the block behind us
    MD5_Update(&c, octets, count);
    MD5_Final(out, &c);
}

// Channel binding `tls-server-end-point` (RFC 5929 §4.1): the certificate hashed as it is signed, MD5 and SHA-1 raised
// to SHA-256. Returns the count of octets in out, 0 when there is none.
static inline int cossl_certificate_hash(const X509 *certificate, unsigned char out[EVP_MAX_MD_SIZE]) {
    int digest = NID_undef, key = NID_undef;
    unsigned int length = 0;
    if (!X509_get_signature_info((X509 *)certificate, &digest, &key, NULL, NULL)) return 0;
    if (digest == NID_undef) return 0;
    const EVP_MD *md = digest == NID_md5 || digest == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(digest);
    if (!md || X509_digest(certificate, md, out, &length) != 1) return 0;
    return (int)length;
}
