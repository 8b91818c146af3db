#include "tools/ctl/ctl_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl_format.h"

struct ctl_table {
	const struct ctl_column *columns;
	unsigned n_columns;
	char **cells;
	size_t n, room;
	size_t width[CTL_COLUMNS_MAX];
};

static void *need(void *memory)
{
	if (memory)
		return memory;
	fputs("akmapushctl: out of memory\n", stderr);
	exit(1);
}

struct ctl_table *ctl_table_new(const struct ctl_column *columns, unsigned n)
{
	struct ctl_table *table = need(calloc(1, sizeof(*table)));

	assert(0 < n && n <= CTL_COLUMNS_MAX);
	table->columns = columns;
	table->n_columns = n;
	for (unsigned i = 0; i < n; i++)
		table->width[i] = columns[i].title ? ctl_width(columns[i].title) : 0;
	return table;
}

void ctl_table_free(struct ctl_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void ctl_table_text(struct ctl_table *table, const char *text)
{
	size_t *width = &table->width[table->n % table->n_columns];
	char cell[CTL_CELL_MAX];

	ctl_clean(cell, sizeof(cell), text ? text : "");
	if (table->n == table->room) {
		table->room = 2 * table->room + 64;
		table->cells = need(reallocarray(table->cells, table->room, sizeof(*table->cells)));
	}
	if (ctl_width(cell) > *width)
		*width = ctl_width(cell);
	table->cells[table->n++] = need(strdup(cell));
}

void ctl_table_number(struct ctl_table *table, uint64_t value)
{
	char text[CTL_NUMBER_MAX];

	ctl_table_text(table, ctl_number(text, value));
}

// Blanks before a cell: what the cells to its left owe, the gap, and its own when it stands right.
static void print_row(const struct ctl_table *table, FILE *out, char *const *cells)
{
	size_t owed = 0;

	for (unsigned i = 0; i < table->n_columns; i++) {
		const char *cell = cells ? cells[i] : table->columns[i].title;
		size_t missing = table->width[i] - ctl_width(cell);

		if (table->columns[i].is_right) {
			owed += missing;
			missing = 0;
		}
		if (*cell) {
			fprintf(out, "%*s%s", (int)owed, "", cell);
			owed = 0;
		}
		owed += missing + 2;
	}
}

void ctl_table_print(const struct ctl_table *table, FILE *out, bool has_colours)
{
	assert(table->n % table->n_columns == 0);
	if (table->columns[0].title) {
		fputs(has_colours ? "\033[1m" : "", out);
		print_row(table, out, NULL);
		fputs(has_colours ? "\033[0m\n" : "\n", out);
	}
	for (size_t i = 0; i < table->n; i += table->n_columns) {
		print_row(table, out, table->cells + i);
		fputc('\n', out);
	}
}

void ctl_table_show(struct ctl_table *table)
{
	ctl_table_print(table, stdout, ctl_has_colours());
	ctl_table_free(table);
}
