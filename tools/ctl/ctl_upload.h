#pragma once
// A file of lines to the daemon as NDJSON: streamed, of any length, with a bar on a terminal. Empty
// lines and lines that begin with '#' are passed over. What the daemon says about a line is told
// with the number that the line has in the file. One thread.

#include <stdbool.h>
#include <stddef.h>

#include "control/json/json.h"
#include "tools/ctl/ctl.h"
#include "tools/ctl/ctl_call.h"

enum { CTL_LINE_MAX = 4000 }; // of a file; the daemon takes lines of 4 KiB

// Writes the members of the line's object. NULL, or what is wrong with the line.
typedef const char *ctl_line_fn(struct json_writer *w, char *line, const void *arg);

struct ctl_upload {
	const char *path; // POST
	const char *file; // "-": standard input
	const char *what; // of the bar
	bool takes_json;  // a line that begins with '{' goes as it is
	ctl_line_fn *line;
	const void *arg;
	// Members of the answer that people want to see; ends with NULL.
	const char *const *figures;
};

// Streams the file and shows what came of it: exit code, CTL_REFUSED also when lines failed.
int ctl_upload(struct ctl *ctl, const struct ctl_upload *upload);
// Shows the summary that the daemon gave; `file_line` (may be NULL) translates a number of a line.
int ctl_upload_show(const struct ctl *ctl, const struct ctl_doc *doc, const char *const *figures,
		    uint64_t (*file_line)(const void *arg, uint64_t line), const void *arg);

// By its prefix; what the rest is worth the daemon tells.
bool ctl_is_supi(const char *identity);
bool ctl_is_gpsi(const char *identity);
