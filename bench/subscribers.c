#include "bench/subscribers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sha256.h"

// As long as they are in networks: an A-TID is 43 characters of base64url.
static const struct {
	const char *name, *before, *after;
	unsigned digits;
} forms[] = {
	[DP_SUPI] = {"SUPIs", "imsi-00101", "", 10},
	[DP_AKID] = {"A-KIDs", "0000.", "@akma.5gc.mnc001.mcc001.3gppnetwork.org", 43},
};

void subscriber_text(struct subscriber_text *text, enum dp_identity kind, uint32_t handle)
{
	const size_t before = strlen(forms[kind].before), after = strlen(forms[kind].after);
	char *const end = text->id + before + forms[kind].digits;

	assert(before + forms[kind].digits + after <= sizeof(text->id));
	memcpy(text->id, forms[kind].before, before);
	memset(text->id + before, '0', forms[kind].digits);
	for (char *digit = end; handle; handle /= 10)
		*--digit = (char)('0' + handle % 10);
	memcpy(end, forms[kind].after, after);
	text->len = (unsigned)(before + forms[kind].digits + after);
}

static bool open_for(struct subscribers *s, uint32_t n)
{
	const int status = directory_init(&s->directory, sha256_best(), n);

	if (status) {
		fprintf(stderr, "akmapush-bench: memory for a directory of %u UEs: %s\n", n,
			strerror(-status));
		return false;
	}
	while (directory_new(&s->directory) != DP_NONE)
		;
	s->is_open = true;
	return true;
}

bool subscribers_put(struct subscribers *s, enum dp_identity kind, uint32_t n)
{
	struct subscriber_text text;

	if (n > SUBSCRIBERS_MAX) {
		fprintf(stderr,
			"akmapush-bench: without %s: contexts and a directory of more than %d UEs "
			"do not fit in 16 GB\n",
			forms[kind].name, SUBSCRIBERS_MAX);
		return true;
	}
	if (!s->is_open && !open_for(s, n))
		return false;
	for (uint32_t handle = 0; handle < n; handle++) {
		subscriber_text(&text, kind, handle);
		if (directory_bind(&s->directory, handle, kind, text.id, text.len)) {
			fprintf(stderr, "akmapush-bench: no room for %s\n", text.id);
			return false;
		}
	}
	s->has[kind] = true;
	return true;
}

bool subscribers_has(const struct subscribers *s, enum dp_identity kind)
{
	return s->has[kind];
}

uint32_t subscribers_find(const struct subscribers *s, enum dp_identity kind,
			  const struct subscriber_text *text)
{
	return directory_find(&s->directory, kind, text->id, text->len);
}

void subscribers_close(struct subscribers *s)
{
	if (s->is_open)
		directory_fini(&s->directory);
	*s = (struct subscribers){0};
}
