#pragma once
// What a run came to, for people and for programs. One thread.

#include "tools/load/load_run.h"

struct json_writer;

// Figures as lines, or as members of the open JSON object.
void load_print(const struct load_result *result);
void load_put(const struct load_result *result, struct json_writer *w);
// One object with `put`'s figures on standard output, or lines; returns the exit code.
int load_finish(const struct load_result *result);
void load_write_json(struct json_writer *w); // ends and prints the object
