#pragma once
// SIGHUP: the configuration is read again; what may change while the daemon runs does, what may not
// is told. Control thread only.

struct app;
struct config;
struct dp_tuning;
struct reload;

struct reload *reload_new(const struct config *running, const char *file); // NULL without memory
void reload_free(struct reload *reload);                                   // NULL is fine
// A file with errors changes nothing.
void reload_now(struct reload *reload, struct app *app);

void reload_tuning(const struct config *config, struct dp_tuning *tuning);
