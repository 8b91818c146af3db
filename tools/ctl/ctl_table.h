#pragma once
// Tables for people: columns as wide as their widest cell, numbers to the right, two blanks between
// columns, no blanks at the end of a line. Cells are copied, control characters in them replaced.
// Without memory the program ends, as a tool may. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CTL_COLUMNS_MAX = 12, CTL_CELL_MAX = 512 };

struct ctl_column {
	const char *title; // NULL for all: a table without a head
	bool is_right;
};

struct ctl_table;

struct ctl_table *ctl_table_new(const struct ctl_column *columns, unsigned n);
void ctl_table_free(struct ctl_table *table);
// Cells are added from left to right, row after row.
void ctl_table_text(struct ctl_table *table, const char *text); // NULL: an empty cell
void ctl_table_number(struct ctl_table *table, uint64_t value);
void ctl_table_print(const struct ctl_table *table, FILE *out, bool has_colours);
// To standard output, in colours where it shows them; the table is gone.
void ctl_table_show(struct ctl_table *table);
