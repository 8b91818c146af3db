// A push followed until it is over.

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_push.h"
#include "tools/progress.h"

enum { PAUSE_MS = 200, PAUSE_MAX_MS = 1000, NOTE_MAX = 256 };

static void note_write(char note[NOTE_MAX], const struct json_reader *push)
{
	struct json_reader states = ctl_child(push, "states");
	char number[CTL_NUMBER_MAX];
	size_t n = 0;

	note[0] = '\0';
	for (const char *const *state = ctl_push_states; *state && n < NOTE_MAX; state++) {
		uint64_t count = ctl_uint(&states, *state);

		if (count)
			n += (size_t)snprintf(note + n, NOTE_MAX - n, "%s%s %s", n ? "  " : "",
					      *state, ctl_number(number, count));
	}
}

static bool is_over(const struct json_reader *push)
{
	const char *state = ctl_text(push, "state");

	return state && strcmp(state, "FINISHED") == 0;
}

static void pause_ms(unsigned ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000l};

	nanosleep(&pause, NULL); // an interrupt ends it
}

static int interrupted(const char *id)
{
	fprintf(stderr,
		"\nThe push goes on. To look again: akmapushctl push watch %s\n"
		"To end it: akmapushctl push recall %s\n",
		id, id);
	return CTL_INTERRUPTED;
}

static void show(const struct ctl *ctl, const struct ctl_doc *doc)
{
	if (ctl->json)
		ctl_doc_print(doc);
	else
		ctl_push_show(&doc->top);
}

int ctl_push_watch(struct ctl *ctl, const char *af, const char *id)
{
	struct progress progress;
	char note[NOTE_MAX];
	bool is_first = true;
	struct ctl_doc doc;

	for (unsigned pause = PAUSE_MS;; pause += pause < PAUSE_MAX_MS ? PAUSE_MS : 0) {
		int code = ctl_push_get(ctl, af, id, &doc);
		uint64_t final;
		bool over;

		if (code)
			return code == CTL_INTERRUPTED ? interrupted(id) : code;
		final = ctl_push_final(&doc.top);
		over = is_over(&doc.top);
		note_write(note, &doc.top);
		if (is_first) {
			progress_begin(&progress, "push", ctl_uint(&doc.top, "targets"), ctl->json);
			progress.first = final;
			is_first = false;
		}
		if (over)
			break;
		progress_update(&progress, final, note);
		ctl_doc_free(&doc);
		if (!ctl_interrupted)
			pause_ms(pause);
		if (ctl_interrupted)
			return interrupted(id);
	}
	progress_end(&progress, ctl_push_final(&doc.top), note);
	show(ctl, &doc);
	ctl_doc_free(&doc);
	return CTL_OK;
}
