#pragma once
// The YAML side of config.h. For config*.c alone.

#include <stddef.h>

#include "control/config/config.h"

// Sets what the text says in a config that has its defaults. As config_parse.
int config_yaml_read(const char *text, size_t len, const char *name, struct config *config,
		     config_report report, void *ctx);
