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
static inline long cossl_ctx_set_mode(SSL_CTX *c, long m) { return SSL_CTX_set_mode(c, m); }
static inline long cossl_ctx_set_session_cache_mode(SSL_CTX *c, long m) { return SSL_CTX_set_session_cache_mode(c, m); }
static inline long cossl_set_sni(SSL *s, const char *n) { return SSL_set_tlsext_host_name(s, n); }
static inline size_t cossl_bio_pending(BIO *b) { return BIO_pending(b); }
static inline void cossl_bio_eof_retry(BIO *b) { BIO_set_mem_eof_return(b, -1); }
static inline X509 *cossl_peer_cert(SSL *s) { return SSL_get1_peer_certificate(s); }
