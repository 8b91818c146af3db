#include "control/push/push_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/app.h"
#include "control/store/store.h"

uint32_t push_place_chunks(uint32_t n_places)
{
	return n_places / PUSH_PLACES + (n_places % PUSH_PLACES > 0);
}

size_t push_place_octets(uint32_t n_places, uint32_t chunk)
{
	size_t octets = ((size_t)n_places + 1) / 2, from = (size_t)chunk * PUSH_PLACES_OCTETS;

	return octets - from < PUSH_PLACES_OCTETS ? octets - from : PUSH_PLACES_OCTETS;
}

int push_read_places(struct app *app, const struct push_facts *facts, uint8_t *states,
		     uint32_t n_places)
{
	uint8_t *value = malloc(PUSH_PLACES_OCTETS), key[PUSH_KEY_MAX];
	int error = value ? 0 : -ENOMEM;

	for (uint32_t chunk = 0; !error && chunk < push_place_chunks(n_places); chunk++) {
		ssize_t len = store_get(app->store, STORE_PROGRESS, key,
					push_key_states(key, facts->id, 'P', chunk), value,
					PUSH_PLACES_OCTETS);

		if (len == -ENOENT)
			continue; // nothing of it has changed yet
		if (len >= 0 && (size_t)len != push_place_octets(n_places, chunk))
			len = -EBADMSG;
		if (len < 0)
			error = (int)len;
		else
			memcpy(states + (size_t)chunk * PUSH_PLACES_OCTETS, value, (size_t)len);
	}
	free(value);
	return error;
}
