// System OpenSSL. Function-like macros become functions here.
#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
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
