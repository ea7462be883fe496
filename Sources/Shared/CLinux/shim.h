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
extern int malloc_trim(size_t keep);
// Large memory comes from the system and goes back to it at once. By itself glibc raises the limit to whatever was
// freed last: one password hash (16 MiB) would stay with the process for good. What bursts of mail take is kept below
// these limits: with smaller ones, every batch would give its memory back and ask for it again.
#include <malloc.h>
static inline void clinux_return_large_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int fds[2], int flags);

// Starts writing dirty pages of a range back without waiting (SYNC_FILE_RANGE_WRITE): a later fsync finds less to do.
extern int sync_file_range(int fd, int64_t offset, int64_t count, unsigned int flags);
static inline int clinux_start_writeback(int fd, int64_t offset, int64_t count) { return sync_file_range(fd, offset, count, 2); }
// Starts writing a file back and waits for it: the data is in the device's hands, as fsync would put it, but nothing is
// committed yet (SYNC_FILE_RANGE_WAIT_BEFORE | WRITE | WAIT_AFTER).
static inline int clinux_write_back(int fd) { return sync_file_range(fd, 0, 0, 7); }
// Type of the file system of an open file (f_type of statfs(2)); 0 when unknown.
#include <sys/statfs.h>
static inline uint32_t clinux_file_system(int fd) {
    struct statfs info;
    return fstatfs(fd, &info) == 0 ? (uint32_t)info.f_type : 0;
}
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

// Descriptors over a Unix socket (cmsg(3) is all macros). At most CLINUX_MAX_FDS go with one call.
#define CLINUX_MAX_FDS 64
static inline ssize_t clinux_send_descriptors(
    int socket, const void *octets, size_t length, const int *fds, size_t count, int flags) {
    union { struct cmsghdr align; char room[CMSG_SPACE(CLINUX_MAX_FDS * sizeof(int))]; } control;
    struct iovec part = {(void *)octets, length};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > CLINUX_MAX_FDS) count = CLINUX_MAX_FDS;
    if (count > 0) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        int *slots = (int *)CMSG_DATA(head);
        for (size_t i = 0; i < count; i++) slots[i] = fds[i];
    }
    return sendmsg(socket, &message, flags);
}
// `fds` has room for CLINUX_MAX_FDS; what comes is closed on exec.
static inline ssize_t clinux_receive_descriptors(
    int socket, void *octets, size_t length, int *fds, size_t *count) {
    union { struct cmsghdr align; char room[CMSG_SPACE(CLINUX_MAX_FDS * sizeof(int))]; } control;
    struct iovec part = {octets, length};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    *count = 0;
    ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (got < 0) return got;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t some = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int *slots = (int *)CMSG_DATA(head);
        for (size_t i = 0; i < some && *count < CLINUX_MAX_FDS; i++) fds[(*count)++] = slots[i];
    }
    return got;
}

#include <stdio.h>
// `stderr` is a C global that Swift 6 refuses.
static inline void clinux_complain(const char *text) { fputs(text, stderr); }

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/capability.h>
// Keeps exactly one capability (by number) permitted and effective; capset(2) has no wrapper in libc.
static inline int clinux_keep_capability(int capability) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    data[capability >> 5].permitted = data[capability >> 5].effective = 1u << (capability & 31);
    return (int)syscall(SYS_capset, &head, data);
}

#include <sys/resource.h>
extern int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit, struct rlimit *old);
// Limits of another process: address space in octets, processor time in seconds, no core file.
static inline int clinux_limit(pid_t pid, uint64_t memory, uint64_t seconds) {
    struct rlimit space = {memory, memory}, time = {seconds, seconds}, core = {0, 0};
    return prlimit(pid, RLIMIT_AS, &space, 0) | prlimit(pid, RLIMIT_CPU, &time, 0) | prlimit(pid, RLIMIT_CORE, &core, 0);
}
