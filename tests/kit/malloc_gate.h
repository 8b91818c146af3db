#pragma once
// A gate before malloc and its kin, free and mmap: what passes while it is closed is counted,
// whoever calls, libraries too. The functions stand in the program, which the loader prefers; under
// a sanitizer its own hooks count (but for mmap). Each thread has a gate of its own, open at first;
// the count is that of all.

#include <stdbool.h>

void malloc_gate_close(void);
void malloc_gate_open(void);
unsigned malloc_gate_passed(void);
// Whether it counts: one malloc and its free, after which it is at 0 again.
bool malloc_gate_works(void);
