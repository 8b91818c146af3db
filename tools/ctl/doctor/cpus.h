#pragma once
// Which CPUs of a machine workers can have. Lists are as in base/cpu_list.h; those written here
// ascend. One thread.

#include "tools/ctl/doctor/machine.h"

enum { CPUS_TEXT_MAX = 384 }; // 64 CPUs, none beside another

// The list as it is written here.
void cpus_sorted(const char *list, char text[CPUS_TEXT_MAX]);
// Those of the list that are not in both a and b (NULL: in a); empty: all are.
void cpus_outside(const char *list, const char *a, const char *b, char text[CPUS_TEXT_MAX]);
// Those that a thread of who asks can be put on: they are online, and it may run on them. Nobody
// may run on isolated ones from the start, but anybody can be put there.
void cpus_usable(const struct doctor *d, char text[MACHINE_LINE_MAX]);
// n of these for workers, and of `within` (NULL: of all): isolated ones, then the last. False, and
// an empty text, when there are fewer.
bool cpus_propose(const struct doctor *d, unsigned n, const char *within, char text[CPUS_TEXT_MAX]);
