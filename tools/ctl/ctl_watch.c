#include "tools/ctl/ctl_watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_push.h"
#include "tools/progress.h"

static struct {
	const char *af;
} options;

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

int ctl_watch(struct ctl *ctl, const char *af, const char *id)
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
	ctl_doc_show(ctl, &doc, ctl_push_show);
	return CTL_OK;
}

// ---- The command

static int run_watch(struct ctl *ctl, char **operands, unsigned n)
{
	(void)n;
	return ctl_watch(ctl, options.af, operands[0]);
}

static const struct arg args[] = {
	{ARG_TEXT, .name = "af", .value = "FQDN",
	 .help = "AF of the push; else the daemon is asked", .target = &options.af},
	{0},
};

const struct ctl_command ctl_push_watch_command = {
	.object = "push",
	.verb = "watch",
	.min = 1,
	.max = 1,
	.summary = "follows a push until it is over",
	.help = {.usage = "akmapushctl push watch [OPTION…] ID",
		 .about = "Follows a push until it is over, and shows it then. Ctrl-C ends the "
			  "watching; the push goes on.",
		 .examples = "  akmapushctl push watch 01982f2e-6c1a-7a40-8000-0242ac120002",
		 .args = args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run_watch,
};
