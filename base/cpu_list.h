#pragma once
// Lists of CPUs as the kernel writes them: "0-3,8,10-11". What is not of that form ends the list.
// Pure functions.

#include <stdbool.h>

enum { CPU_LIST_CPUS = 8192 };

// Whether all of it is of that form, and no CPU is in it twice.
bool cpu_list_is_valid(const char *list);
unsigned cpu_list_count(const char *list);
// The i-th, in the list's order; i < cpu_list_count.
unsigned cpu_list_at(const char *list, unsigned i);
bool cpu_list_has(const char *list, unsigned cpu);
// Whether they have a CPU in common.
bool cpu_list_meet(const char *a, const char *b);
