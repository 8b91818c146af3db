#pragma once
// The list of options of the configuration. For config*.c alone.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config/config.h"

enum option_kind {
	OPTION_NUMBER,
	OPTION_OCTETS, // a number, with KiB, MiB or GiB behind it if wanted
	OPTION_TRUTH,
	OPTION_TEXT,
	OPTION_PATH,
	OPTION_ADDRESS, // IPv4 or IPv6
	OPTION_IPV4,
	OPTION_IPV6,
	OPTION_UA_STAR_ID, // ten hex digits
	OPTION_CHOICE,
	OPTION_CPUS,      // base/cpu_list.h
	OPTION_CLIENTS,   // lists, from here on
	OPTION_ARGUMENTS, // of texts
	OPTION_PORTS,
};

struct option {
	const char *section, *name;
	enum option_kind kind;
	size_t offset, size; // in struct config
	uint64_t min, max;   // numbers: value; texts: length
	const char *const *choices;
	const char *absent; // what holds without it; NULL: nothing (a NULL pointer)
	bool live;          // may change while the daemon runs
	const char *help;
};

extern const struct option options[]; // ended by one without a name
extern const char *const config_roles[];

// The option, its index in *index; NULL when there is none.
const struct option *option_find(const char *section, const char *name, unsigned *index);
bool option_is_section(const char *section);
// Whether options of the section are called "name.…": a mapping inside the section.
bool option_is_group(const char *section, const char *name);
// The known section or option (of a section) that looks most like `name`, or NULL.
const char *option_nearest(const char *section, const char *name);

// Sets the option from text. 0, -EINVAL when it is not of its form (nothing changed then), -ENOMEM.
int option_set(struct config *config, const struct option *option, const char *text);
// "a whole number from 1 to 64": what option_set takes.
void option_expected(const struct option *option, char *text, size_t max);
// The value that holds, as text.
void option_text(const struct config *config, const struct option *option, char *text, size_t max);
void option_clear(struct config *config, const struct option *option); // frees its memory
