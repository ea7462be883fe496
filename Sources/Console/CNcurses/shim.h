// ncursesw and the signal guard. Macros, variadic functions and global variables become functions; Swift calls nothing else.
#pragma once
#define _XOPEN_SOURCE_EXTENDED 1
#define NCURSES_WIDECHAR 1
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
#include <ncursesw/curses.h>
#include <ncursesw/term.h>

// ---- screen ----

// newterm and not initscr: initscr ends the process when TERM is unknown. 0 = there is no such terminal.
static inline int cnc_start(void) {
    if (newterm(NULL, stdout, stdin) == NULL) return 0;
    raw(); noecho(); nonl();
    keypad(stdscr, TRUE); meta(stdscr, TRUE); nodelay(stdscr, TRUE); intrflush(stdscr, FALSE);
    typeahead(-1);
    leaveok(stdscr, FALSE); scrollok(stdscr, FALSE);
    curs_set(1);
    // raw() leaves IXON as it was: Ctrl-S would freeze the line.
    struct termios mode;
    if (tcgetattr(0, &mode) == 0) {
        mode.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
        tcsetattr(0, TCSANOW, &mode);
    }
    def_prog_mode();
    return 1;
}

// Pairs 1–8: the eight hues on the terminal's own background. 0 = no colours here (COLOR_PAIRS may be 0).
static inline int cnc_start_colours(void) {
    if (!has_colors() || start_color() == ERR || COLORS < 8 || COLOR_PAIRS < 9) return 0;
    if (use_default_colors() == ERR) return 0;
    for (short hue = 0; hue < 8; hue++) init_pair((short)(hue + 1), hue, -1);
    return 1;
}

// pair 0 = default colours. The text is UCS-4: ncurses converts it to the locale's encoding.
static inline void cnc_put(int y, int x, const int32_t *text, int count, int bold, int reverse, int underline, int dim, int pair) {
    attr_t attributes = A_NORMAL;
    if (bold) attributes |= A_BOLD;
    if (reverse) attributes |= A_REVERSE;
    if (underline) attributes |= A_UNDERLINE;
    if (dim) attributes |= A_DIM;
    wattr_set(stdscr, attributes, (short)pair, NULL);
    mvwaddnwstr(stdscr, y, x, (const wchar_t *)text, count);
}

static inline void cnc_show(int y, int x, int whole) {
    if (whole) clearok(curscr, TRUE);
    wmove(stdscr, y, x);
    wnoutrefresh(stdscr);
    doupdate();
}

// 0 = nothing there, 1 = a character, 2 = a key code, -1 = the terminal is gone.
static inline int cnc_read(uint32_t *value) {
    wint_t got = 0;
    errno = 0;
    int kind = wget_wch(stdscr, &got);
    *value = (uint32_t)got;
    if (kind == KEY_CODE_YES) return 2;
    if (kind == OK) return 1;
    return errno == EIO ? -1 : 0;
}

static inline int cnc_rows(void) { return LINES; }
static inline int cnc_columns(void) { return COLS; }
static inline int cnc_colours(void) { return COLORS; }
// (term.h makes macros of `columns` and `lines`.)
static inline int cnc_window_size(int *down, int *across) {
    struct winsize size;
    if (ioctl(1, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return 0;
    *down = size.ws_row; *across = size.ws_col;
    return 1;
}
static inline void cnc_resize(int down, int across) {
    resizeterm(down, across);
    werase(stdscr);
    clearok(curscr, TRUE);
}
static inline int cnc_function_key(int code) { return code > KEY_F0 && code <= KEY_F(63) ? code - KEY_F0 : 0; }
static inline int cnc_define(const char *sequence, int code) { return define_key(sequence, code); }
// A terminfo string; NULL when the terminal has none. Valid until the terminal changes.
static inline const char *cnc_capability(const char *name) {
    const char *found = tigetstr(name);
    return found == (const char *)-1 ? NULL : found;
}
static inline int cnc_wide_width(int32_t scalar) { return wcwidth((wchar_t)scalar); }
static inline const char *cnc_set_locale(const char *name) { return setlocale(LC_CTYPE, name); }

// ---- guard: the terminal is as it was, whatever ends us ----
// The state is one per object file that uses it: only TerminalGuard.swift may call these functions.

struct cnc_guard_state {
    volatile sig_atomic_t armed;
    volatile sig_atomic_t pending;
    int pipe;
    int tty;
    size_t length;
    char restore[512];
    struct termios mode;
};
// A local static: of a file-level one the importer emits no definition.
static inline struct cnc_guard_state *cnc_guard_here(void) {
    static struct cnc_guard_state state;
    return &state;
}
#define cnc_guard (*cnc_guard_here())

// Async-signal-safe: write and tcsetattr only. At most a second is waited for a terminal that takes nothing.
static inline void cnc_guard_restore(void) {
    if (!cnc_guard.armed) return;
    cnc_guard.armed = 0;
    int saved = errno;
    size_t done = 0;
    int tries = 0;
    while (done < cnc_guard.length && tries < 20) {
        ssize_t count = write(cnc_guard.tty, cnc_guard.restore + done, cnc_guard.length - done);
        if (count > 0) { done += (size_t)count; continue; }
        if (count < 0 && errno != EAGAIN && errno != EINTR) break;
        struct pollfd ready = { cnc_guard.tty, POLLOUT, 0 };
        poll(&ready, 1, 50);
        tries++;
    }
    tcsetattr(cnc_guard.tty, TCSANOW, &cnc_guard.mode);
    errno = saved;
}

static inline void cnc_guard_die(int signal_number) {
    cnc_guard_restore();
    signal(signal_number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(signal_number);
}

static inline void cnc_guard_tell(int signal_number) {
    int saved = errno;
    unsigned char octet = (unsigned char)signal_number;
    ssize_t ignored = write(cnc_guard.pipe, &octet, 1);
    (void)ignored;
    errno = saved;
}

// Crashes and SIGQUIT: restore and die.
static inline void cnc_guard_on_crash(int signal_number) { cnc_guard_die(signal_number); }
// The loop did not end by itself in two seconds: die of the signal that asked for it.
static inline void cnc_guard_on_alarm(int signal_number) {
    (void)signal_number;
    cnc_guard_die(cnc_guard.pending ? cnc_guard.pending : SIGTERM);
}
// SIGTERM, SIGHUP, SIGINT: the loop saves the draft and ends; the second one ends at once.
static inline void cnc_guard_on_end(int signal_number) {
    if (cnc_guard.pending) { cnc_guard_die(signal_number); return; }
    cnc_guard.pending = signal_number;
    alarm(2);
    cnc_guard_tell(signal_number);
}
static inline void cnc_guard_on_event(int signal_number) { cnc_guard_tell(signal_number); }

static inline void cnc_guard_handle(int signal_number, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigfillset(&action.sa_mask);
    action.sa_flags = flags;
    sigaction(signal_number, &action, NULL);
}

// Before newterm: remembers the terminal's mode and takes the signals. 0 = not a terminal.
static inline int cnc_guard_prepare(int tty, int pipe) {
    cnc_guard.tty = tty;
    cnc_guard.pipe = pipe;
    if (tcgetattr(tty, &cnc_guard.mode) != 0) return 0;
    static char stack[65536];
    stack_t alternate;
    memset(&alternate, 0, sizeof alternate);
    alternate.ss_sp = stack;
    alternate.ss_size = sizeof stack;
    sigaltstack(&alternate, NULL);
    const int crashes[] = { SIGQUIT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE };
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        cnc_guard_handle(crashes[i], cnc_guard_on_crash, SA_ONSTACK | SA_RESETHAND | SA_NODEFER);
    const int ends[] = { SIGTERM, SIGHUP, SIGINT };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) cnc_guard_handle(ends[i], cnc_guard_on_end, SA_RESTART);
    const int events[] = { SIGWINCH, SIGTSTP, SIGCONT };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) cnc_guard_handle(events[i], cnc_guard_on_event, SA_RESTART);
    cnc_guard_handle(SIGALRM, cnc_guard_on_alarm, 0);
    signal(SIGPIPE, SIG_IGN);
    return 1;
}

// What brings this terminal back; from now on every end of the process writes it.
static inline void cnc_guard_arm(const char *restore, size_t length) {
    if (length > sizeof cnc_guard.restore) length = sizeof cnc_guard.restore;
    memcpy(cnc_guard.restore, restore, length);
    cnc_guard.length = length;
    static int registered;
    if (!registered) { registered = 1; atexit(cnc_guard_restore); }
    cnc_guard.armed = 1;
}

// The screen has been ended in order: only the mode is left to restore.
static inline void cnc_guard_disarm(void) {
    cnc_guard.armed = 0;
    tcsetattr(cnc_guard.tty, TCSANOW, &cnc_guard.mode);
}

// Stops the process as Ctrl-Z does outside; comes back when it is continued.
static inline void cnc_guard_stop(void) {
    cnc_guard_disarm();
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    cnc_guard_handle(SIGTSTP, cnc_guard_on_event, SA_RESTART);
    cnc_guard.armed = 1;
}

// Ends as the signal that asked for the end would have ended us, so that the shell sees it.
static inline void cnc_guard_finish(void) {
    if (cnc_guard.pending) cnc_guard_die(cnc_guard.pending);
}
