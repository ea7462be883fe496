#pragma once
#include <security/pam_appl.h>
#include <stdlib.h>

// pam_unix and others ask for a pause after a failure; the receiver makes its own (receiver.auth_failure_delay), and a
// pause here would hold a thread. A function pointer as an item: Swift cannot say it.
static inline void cpam_no_delay(int status, unsigned int microseconds, void *data) {
    (void)status; (void)microseconds; (void)data;
}
static inline int cpam_set_no_delay(pam_handle_t *handle) {
    return pam_set_item(handle, PAM_FAIL_DELAY, (const void *)cpam_no_delay);
}
static inline int cpam_start(
    const char *service, const char *user, const struct pam_conv *talk, const char *folder, pam_handle_t **out) {
    return folder ? pam_start_confdir(service, user, talk, folder, out) : pam_start(service, user, talk, out);
}
