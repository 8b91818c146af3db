#pragma once
// Lists of CPUs as the kernel writes them: "0-3,8,10-11". What is not of that form ends the list.
// Pure functions.

#include <stdbool.h>

enum { CPU_LIST_CPUS = 8192 };

unsigned cpu_list_count(const char *list);
bool cpu_list_has(const char *list, unsigned cpu);
// Whether they have a CPU in common.
bool cpu_list_meet(const char *a, const char *b);
