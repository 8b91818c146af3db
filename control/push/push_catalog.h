#pragma once
// Pushes, newest first: those in memory and those in the store as one list. Control thread only.

struct app;
struct push_view;

enum { PUSH_CATALOG_DEFAULT = 100, PUSH_CATALOG_MAX = 1000 };

extern const char *const push_phase_names[]; // WAITING, RUNNING, FINISHED; NULL ends it

struct push_catalog {
	const char *fqdn;  // of this AF; NULL: of all
	const char *phase; // one of push_phase_names; NULL: any
	unsigned limit;    // 1..PUSH_CATALOG_MAX
};

typedef void push_catalog_fn(void *ctx, const struct push_view *view);

// Has `each` look at the pushes: 0, -ENOMEM, -EBADMSG, -EIO.
int push_catalog_each(struct app *app, const struct push_catalog *catalog, push_catalog_fn *each,
		      void *ctx);
