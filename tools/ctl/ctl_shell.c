// The prompt: the same commands line by line, with history (of this session) and completion. The
// only place that knows the line editing library.

#include "tools/ctl/ctl_shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <histedit.h>

#include "tools/ctl/ctl_command.h"
#include "tools/ctl/ctl_complete.h"
#include "tools/ctl/ctl_run.h"

enum { CANDIDATES_MAX = 64, HISTORY_MAX = 500 };

struct shell {
	EditLine *edit;
	History *history;
	Tokenizer *words;
};

static char *prompt(EditLine *edit)
{
	static char text[] = "akmapush> ";

	(void)edit;
	return text;
}

// ---- Completion

struct candidates {
	unsigned n;
	char *text[CANDIDATES_MAX];
};

static void add_candidate(void *arg, const char *text)
{
	struct candidates *c = arg;

	if (c->n < CANDIDATES_MAX && (c->text[c->n] = strdup(text)))
		c->n++;
}

// Octets that all candidates have in common at their beginning.
static size_t common(const struct candidates *c)
{
	size_t n = strlen(c->text[0]);

	for (unsigned i = 1; i < c->n; i++) {
		size_t same = 0;

		while (same < n && c->text[i][same] == c->text[0][same])
			same++;
		n = same;
	}
	return n;
}

static unsigned char list_candidates(const struct candidates *c)
{
	putchar('\n');
	for (unsigned i = 0; i < c->n; i++)
		printf("%s%s", c->text[i], i + 1 < c->n ? "  " : "\n");
	fflush(stdout);
	return CC_REDISPLAY;
}

static unsigned char insert(EditLine *edit, const struct candidates *c, const char *begun)
{
	size_t have = strlen(begun), n = common(c);
	char rest[128];
	bool is_whole = c->n == 1 && n && c->text[0][n - 1] != '=';

	if (n <= have && !is_whole)
		return list_candidates(c);
	snprintf(rest, sizeof(rest), "%.*s%s", (int)(n - have), c->text[0] + have,
		 is_whole ? " " : "");
	return el_insertstr(edit, rest) ? CC_ERROR : CC_REFRESH;
}

// The words of a line up to the cursor; the last one may be empty.
static unsigned split(char *text, const char *words[CTL_WORDS_MAX])
{
	unsigned n = 0;

	for (;;) {
		text += strspn(text, " \t");
		words[n++] = text;
		text += strcspn(text, " \t");
		if (!*text || n == CTL_WORDS_MAX)
			return n;
		*text++ = '\0';
	}
}

static unsigned char complete(EditLine *edit, int key)
{
	const struct ctl *ctl;
	const LineInfo *line = el_line(edit);
	char *text = strndup(line->buffer, (size_t)(line->cursor - line->buffer));
	const char *words[CTL_WORDS_MAX];
	struct candidates candidates = {0};
	unsigned char answer = CC_ERROR;
	unsigned n;

	if (!text)
		return CC_ERROR;
	n = split(text, words);
	el_get(edit, EL_CLIENTDATA, &ctl);
	ctl_complete(ctl->commands, words, n, add_candidate, &candidates);
	if (candidates.n == 1 && strcmp(candidates.text[0], CTL_COMPLETE_FILE) == 0)
		answer = _el_fn_complete(edit, key);
	else if (candidates.n)
		answer = insert(edit, &candidates, words[n - 1]);
	for (unsigned i = 0; i < candidates.n; i++)
		free(candidates.text[i]);
	free(text);
	return answer;
}

// ---- Lines

// Ctrl-C gives up the line.
static unsigned char give_up(EditLine *edit, int key)
{
	const LineInfo *line = el_line(edit);

	(void)key;
	el_cursor(edit, (int)(line->lastchar - line->cursor));
	line = el_line(edit);
	el_deletestr(edit, (int)(line->cursor - line->buffer));
	fputs("^C\n", stdout);
	fflush(stdout);
	return CC_REDISPLAY;
}

static bool open_shell(struct shell *shell, struct ctl *ctl)
{
	HistEvent event;

	shell->edit = el_init("akmapushctl", stdin, stdout, stderr);
	shell->history = history_init();
	shell->words = tok_init(NULL);
	if (!shell->edit || !shell->history || !shell->words)
		return false;
	history(shell->history, &event, H_SETSIZE, HISTORY_MAX);
	history(shell->history, &event, H_SETUNIQUE, 1);
	el_set(shell->edit, EL_CLIENTDATA, ctl);
	el_set(shell->edit, EL_PROMPT, prompt);
	el_set(shell->edit, EL_EDITOR, "emacs");
	el_set(shell->edit, EL_HIST, history, shell->history);
	// Wide, for the library copies narrow names and never frees them.
	el_wset(shell->edit, EL_ADDFN, L"complete", L"completes a word", complete);
	el_wset(shell->edit, EL_ADDFN, L"give-up", L"gives up the line", give_up);
	el_set(shell->edit, EL_BIND, "^I", "complete", NULL);
	el_set(shell->edit, EL_BIND, "^C", "give-up", NULL);
	el_set(shell->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_set(shell->edit, EL_SETTY, "-d", "-isig", NULL); // Ctrl-C comes as a key
	return true;
}

static void close_shell(struct shell *shell)
{
	if (shell->words)
		tok_end(shell->words);
	if (shell->history)
		history_end(shell->history);
	if (shell->edit)
		el_end(shell->edit);
}

// Whether the prompt goes on.
static bool run_line(struct ctl *ctl, struct shell *shell, const char *line)
{
	const char **words;
	int n;

	tok_reset(shell->words);
	if (tok_str(shell->words, line, &n, &words)) {
		ctl_fail(CTL_USAGE, "a quote is not closed");
		return true;
	}
	if (n == 0)
		return true;
	if (n == 1 && (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0))
		return false;
	ctl_interrupted = 0;
	ctl_run(ctl, n, (char **)(uintptr_t)words);
	ctl_interrupted = 0;
	fflush(stdout);
	return true;
}

int ctl_shell(struct ctl *ctl)
{
	struct shell shell = {0};
	HistEvent event;
	const char *line;
	bool goes_on = true;
	int n;

	if (!open_shell(&shell, ctl)) {
		close_shell(&shell);
		return ctl_fail(CTL_REFUSED, "no prompt on this terminal");
	}
	printf("akmapushctl, daemon at %s. help tells the commands, Ctrl-D ends.\n", ctl->socket);
	while (goes_on && (line = el_gets(shell.edit, &n)) && n > 0) {
		if (line[strspn(line, " \t\r\n")])
			history(shell.history, &event, H_ENTER, line);
		goes_on = run_line(ctl, &shell, line);
	}
	if (goes_on)
		putchar('\n');
	close_shell(&shell);
	return CTL_OK;
}
