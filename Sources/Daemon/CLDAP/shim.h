#pragma once
#include <ldap.h>
#include <sys/time.h>

// Macros with casts, which Swift does not import.
static const int cldap_scope_base = LDAP_SCOPE_BASE;
static const int cldap_scope_subtree = LDAP_SCOPE_SUBTREE;

static inline int cldap_set_number(LDAP *handle, int option, int value) {
    return ldap_set_option(handle, option, &value);
}
static inline int cldap_set_text(LDAP *handle, int option, const char *value) {
    return ldap_set_option(handle, option, value);
}
static inline int cldap_set_seconds(LDAP *handle, int option, int seconds) {
    struct timeval time = {seconds, 0};
    return ldap_set_option(handle, option, &time);
}
static inline int cldap_referrals_off(LDAP *handle) {
    return ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
}
// What the server said with its last answer; to be given back by ldap_memfree. May be null.
static inline char *cldap_diagnostic(LDAP *handle) {
    char *text = 0;
    return ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) == LDAP_OPT_SUCCESS ? text : 0;
}
static inline int cldap_simple_bind(LDAP *handle, const char *name, const char *secret, size_t length) {
    struct berval value = {length, (char *)secret};
    return ldap_sasl_bind_s(handle, name, LDAP_SASL_SIMPLE, &value, 0, 0, 0);
}
