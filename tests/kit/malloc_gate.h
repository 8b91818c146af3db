#pragma once
// A gate before malloc and its kin, put there by the linker: what passes while it is closed is
// counted. Each thread has a gate of its own, open at first; the count is that of all.

#include <stdbool.h>

void malloc_gate_close(void);
void malloc_gate_open(void);
unsigned malloc_gate_passed(void);
// Whether the gate is in the link: it counts one allocation, and is at 0 again.
bool malloc_gate_works(void);
