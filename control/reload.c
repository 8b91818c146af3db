#include "control/reload.h"

#include <stdlib.h>

#include "base/log.h"
#include "control/app.h"
#include "control/config/config.h"
#include "dataplane/dp.h"

struct reload {
	const char *file;
	const struct config *running; // what the daemon was started with
	struct config *last;          // what was read since, NULL: nothing
};

struct reload *reload_new(const struct config *running, const char *file)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (reload)
		*reload = (struct reload){.file = file, .running = running};
	return reload;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	config_free(reload->last);
	free(reload);
}

void reload_tuning(const struct config *config, struct dp_tuning *tuning)
{
	*tuning = (struct dp_tuning){
		.burst = config->dataplane.burst,
		.rate = config->dataplane.rate,
		.lap_pause_ms = config->dataplane.lap_pause_ms,
		.lap_pause_max_ms = config->dataplane.lap_pause_max_ms,
	};
}

static void report_error(void *ctx, const char *text)
{
	(void)ctx;
	log_error("config", "%s", text);
}

static void report_change(void *ctx, const char *option, const char *from, const char *to,
			  bool live)
{
	unsigned *n = ctx;

	++*n;
	if (live)
		log_info("config", "%s: %s becomes %s", option, from, to);
	else
		log_warn("config", "%s: %s would become %s, which needs a restart", option, from,
			 to);
}

void reload_now(struct reload *reload, struct app *app)
{
	struct dp_tuning tuning;
	struct config *config;
	unsigned n = 0;

	if (!reload->file) {
		log_info("config", "there is no file to read again");
		return;
	}
	if (config_load(reload->file, &config, report_error, NULL)) {
		log_error("config", "%s was not taken over", reload->file);
		return;
	}
	config_diff(reload->last ? reload->last : reload->running, config, report_change, &n);
	reload_tuning(config, &tuning);
	if (!dp_tune(app->dp, &tuning)) {
		log_error("config", "the workers are busy: %s was not taken over, try again",
			  reload->file);
		config_free(config); // so that the next try sees the same changes
		return;
	}
	log_set_level(config->log.level);
	config_free(reload->last);
	reload->last = config;
	log_info("config", "%s read again, %u changes", reload->file, n);
}
