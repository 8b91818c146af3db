#pragma once
// Words that are nearly right. Any thread.

// The word of words[0..n) that is most like `word`, NULL when none is near.
const char *ctl_word_nearest(const char *word, const char *const *words, unsigned n);
