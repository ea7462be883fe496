// SQLite; the two destructor constants are casts of integers to function pointers, which Swift cannot import.
#pragma once
#include <sqlite3.h>
static inline sqlite3_destructor_type csqlite_transient(void) { return SQLITE_TRANSIENT; }
static inline sqlite3_destructor_type csqlite_static(void) { return SQLITE_STATIC; }
