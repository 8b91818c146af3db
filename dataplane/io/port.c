#include "dataplane/io/port.h"

const struct port_text port_texts[PORT_COUNT_COUNT] = {
#define X(name, metric, help) [PORT_##name] = {metric, help},
	PORT_COUNTS(X)
#undef X
};

const struct port_text port_device_texts[PORT_DEVICE_COUNT_COUNT] = {
#define X(name, metric, help) [PORT_DEVICE_##name] = {metric, help},
	PORT_DEVICE_COUNTS(X)
#undef X
};

const char *const port_steering_texts[PORT_STEERING_COUNT] = {
	[PORT_STEERING_NONE] = "none",
	[PORT_STEERING_RSS] = "rss",
	[PORT_STEERING_RULES] = "rules",
};
