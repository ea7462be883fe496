// What the Glibc overlay hides (it is built without _GNU_SOURCE) and what Swift cannot import:
// GNU functions are declared again, variadic functions and macros get a wrapper.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <syslog.h>

extern void *memmem(const void *haystack, size_t haystackLength, const void *needle, size_t needleLength);
extern void *memrchr(const void *bytes, int octet, size_t length);
extern int syncfs(int fd);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int fds[2], int flags);

static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int clinux_openat(int at, const char *path, int flags, mode_t mode) { return openat(at, path, flags, mode); }
static inline int clinux_prctl(int option, unsigned long value) { return prctl(option, value, 0UL, 0UL, 0UL); }
static inline int clinux_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
static inline int clinux_set_cloexec(int fd, int on) { return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }
static inline void clinux_syslog(int priority, const char *text) { syslog(priority, "%s", text); }

// SO_PEERCRED: struct ucred is hidden without _GNU_SOURCE.
struct clinux_ucred { pid_t pid; uid_t uid; gid_t gid; };
static inline int clinux_peer_credentials(int fd, struct clinux_ucred *out) {
    socklen_t length = sizeof *out;
    return getsockopt(fd, SOL_SOCKET, 17 /* SO_PEERCRED */, out, &length);
}
