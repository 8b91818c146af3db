#include "dataplane/reason.h"

const struct reason_text reason_texts[REASON_COUNT] = {
#define X(name, metric, help) [REASON_##name] = {metric, help},
	REASONS(X)
#undef X
};
