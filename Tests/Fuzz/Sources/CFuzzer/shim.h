#pragma once
#include <stddef.h>
#include <stdint.h>
// SwiftPM links executables with its own main, so libFuzzer's is called as a function.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
