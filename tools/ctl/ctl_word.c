#include "tools/ctl/ctl_word.h"

#include <string.h>

enum { WORD_MAX = 32, NEAR = 3 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// Levenshtein's distance, with two neighbours swapped counting as one; long words are far.
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

// The beginning of a word is as good as one mistake.
static unsigned unlikeness(const char *word, const char *candidate)
{
	size_t n = strlen(word);

	if (n && strncmp(word, candidate, n) == 0)
		return 1;
	return distance(word, candidate);
}

const char *ctl_word_nearest(const char *word, const char *const *words, unsigned n)
{
	unsigned best = NEAR + 1;
	const char *nearest = NULL;

	for (unsigned i = 0; i < n; i++) {
		unsigned d = unlikeness(word, words[i]);

		// Half of a short word wrong is another word.
		if (d < best && 2 * d <= strlen(words[i]) + 1) {
			best = d;
			nearest = words[i];
		}
	}
	return nearest;
}
